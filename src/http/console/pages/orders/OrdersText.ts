/**
 * The texts of the list of orders and of an order's receipt.
 */
import { defineMessages } from "../../text/Messages.ts"

export const ordersText = defineMessages({
  "title": "Orders",
  "lead": "Everything you have ordered, newest first.",
  "none": "No orders yet",
  "none.text": "Top up or choose a plan, and your orders will be listed here.",
  "older": "Older orders",
  "newest": "Newest orders",
  "receipt": "Receipt for order #{id}",
  "order": "Order #{id}",
  "print": "Print",
  "customer": "Customer",
  "paidAt": "Paid",
  "paidWith": "Paid with",
  "reference": "Payment reference",
  "period": "Period",
  "limits": "Limits",
  "toOrder": "To the order",
  "issued": "Issued by {site}"
}, {
  "title": "订单",
  "lead": "您的全部订单，最新的在前。",
  "none": "暂无订单",
  "none.text": "充值或选择套餐后，订单会显示在这里。",
  "older": "更早的订单",
  "newest": "最新订单",
  "receipt": "订单 #{id} 收据",
  "order": "订单 #{id}",
  "print": "打印",
  "customer": "客户",
  "paidAt": "支付时间",
  "paidWith": "支付方式",
  "reference": "支付流水号",
  "period": "时长",
  "limits": "额度上限",
  "toOrder": "查看订单",
  "issued": "由 {site} 开具"
})
