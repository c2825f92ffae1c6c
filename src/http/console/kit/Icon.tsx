/**
 * The console's icons: strokes on a 24 by 24 grid, drawn in the text's colour. They decorate words that stand beside them,
 * so nobody has to hear of them.
 */

const paths = {
  dashboard: "M4 4h6v8H4zM4 16h6v4H4zM14 12h6v8h-6zM14 4h6v4h-6z",
  key: "M8 20a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM11 13l9-9M15.5 8.5l3 3M18 6l2 2",
  usage: "M4 20h16M7 16v-5M12 16V6M17 16v-8",
  topup: "M3 7h15a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2h11M16 13.5h.01",
  plan: "M12 3l8 4.5-8 4.5-8-4.5zM4 12l8 4.5 8-4.5M4 16.5L12 21l8-4.5",
  order: "M6 3h12v18l-3-2-3 2-3-2-3 2zM9 8h6M9 12h6",
  model: "M12 3l7.8 4.5v9L12 21l-7.8-4.5v-9zM12 12l7.8-4.5M12 12v9M12 12L4.2 7.5",
  account: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM5 20a7 7 0 0 1 14 0",
  settings:
    "M12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.2 2.2M16.2 16.2l2.2 2.2M5.6 18.4l2.2-2.2M16.2 7.8l2.2-2.2",
  users: "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 20a7 7 0 0 1 14 0M16 4a4 4 0 0 1 0 7.5M18.5 14.5A7 7 0 0 1 22 20",
  channel: "M4 7h10M18 7h2M4 17h2M10 17h10M16 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM8 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  gift: "M4 12v8h16v-8M3 8h18v4H3zM12 8v12M12 8c-5 0-5-5-2.500-5S12 8 12 8zM12 8c5 0 5-5 2.500-5S12 8 12 8z",
  menu: "M4 6h16M4 12h16M4 18h16",
  back: "M19 12H5M11 6l-6 6 6 6",
  logout: "M14 8V5a1 1 0 0 0-1-1H5a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h8a1 1 0 0 0 1-1v-3M9 12h11M17 9l3 3-3 3",
  sun:
    "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.5z",
  language: "M4 6h9M8.5 4v2M11.5 6c0 5-3 8-7 9M6 9c0 3 3 5.5 7 6M13 20l4-9 4 9M14.4 17h5.2",
  copy:
    "M8 8V5a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1h-3M4 9a1 1 0 0 1 1-1h10a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1z",
  check: "M5 12.5l4.5 4.5L19 7.5",
  alert:
    "M12 9v4M12 16.5h.01M10.6 4.2L2.6 18a1.6 1.6 0 0 0 1.4 2.4h16a1.6 1.6 0 0 0 1.4-2.4l-8-13.8a1.6 1.6 0 0 0-2.8 0z",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 8h.01",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
  arrow: "M5 12h14M13 6l6 6-6 6",
  plus: "M12 5v14M5 12h14",
  bell: "M6 9a6 6 0 0 1 12 0c0 6 2.500 7.500 2.500 7.500h-17S6 15 6 9zM10 20a2 2 0 0 0 4 0",
  filter: "M4 5h16l-6 7.5V19l-4-2v-4.5z",
  card: "M4 5.5h16a1 1 0 0 1 1 1v11a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-11a1 1 0 0 1 1-1zM3 10h18M6.5 14.5h4",
  alipay:
    "M5.5 3h13A2.5 2.5 0 0 1 21 5.500v13a2.5 2.5 0 0 1-2.5 2.500h-13A2.5 2.5 0 0 1 3 18.500v-13A2.5 2.5 0 0 1 5.5 3zM7 8h10M12 5.500V11M8 11h7.500c-1 3.5-3.5 6-7 6-3.5 0-3.5-4 0-4 3.5 0 7 2.5 12.5 4.5",
  wechat:
    "M14.5 9.200C14.3 6.3 11.7 4 8.6 4 5.3 4 2.6 6.4 2.6 9.400c0 1.7.9 3.2 2.3 4.200l-.5 2.2 2.4-1.300c.6.1 1.2.2 1.8.2M15.6 9.400c3.2 0 5.8 2.2 5.8 4.9 0 1.5-.8 2.8-2 3.700l.4 2-2.1-1.100c-.7.2-1.4.3-2.1.3-3.2 0-5.8-2.2-5.8-4.900s2.6-4.9 5.8-4.900zM6.8 8.200h.01M10.4 8.200h.01M13.7 13.200h.01M17.5 13.200h.01",
  download: "M12 4v11M7 10.500l5 5 5-5M5 20h14",
  book: "M5 4h11a3 3 0 0 1 3 3v13H8a3 3 0 0 1-3-3zM5 17a3 3 0 0 1 3-3h11",
  compare: "M8 5v14M4 15l4 4 4-4M16 19V5M12 9l4-4 4 4",
  print: "M7 8V4h10v4M7 16H4V9a1 1 0 0 1 1-1h14a1 1 0 0 1 1 1v7h-3M7 13h10v7H7z"
} as const

export type IconName = keyof typeof paths

export const Icon = ({ name, class: more }: { readonly name: IconName; readonly class?: string }) => (
  <svg
    class={`icon ${more ?? ""}`}
    width="24"
    height="24"
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    stroke-width="2"
    stroke-linecap="round"
    stroke-linejoin="round"
    aria-hidden="true"
    focusable="false"
  >
    <path d={paths[name]} />
  </svg>
)
