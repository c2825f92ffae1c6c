/**
 * The words by which upstreams tell what is the operator's affair from what is the request's own: money, credentials, the account,
 * the region, the model, the rate. Collected from what providers and proxies really answer, in English and Chinese; tests hold their
 * sentences.
 *
 * @internal
 */

/** Any of the phrases, in whatever case. */
const anyOf = (...phrases: ReadonlyArray<RegExp>): RegExp =>
  new RegExp(phrases.map(({ source }) => source).join("|"), "i")

export const credentials = anyOf(
  /invalid[_ ]api[_ ]key|incorrect api key|api_key_invalid/,
  /api[_ ]?key[^.]{0,40}(?:not valid|invalid|expired|missing|disabled|leaked)/,
  /authenticat|unauthori[sz]ed|authorization failed|no auth|access denied|login fail/,
  /invalid (?:\w+ )?credential|subscription key/,
  /invalid (?:api |access |auth\w* |bearer |security )?token\b(?! (?:at|count|id|in|limit|number|sequence))/,
  /(?:access|auth\w*|bearer|security) token[^.]{0,40}(?:expired|invalid|not valid)/,
  /request signature|signature (?:expired|does not match|mismatch)|UnrecognizedClient/,
  /(?:令牌|密钥|秘钥|api ?key|authorization token)[^。]{0,8}(?:无效|非法|错误|不正确|不可用|失效|过期|禁用)/,
  /无效的?(?:令牌|密钥|api ?key)|鉴权|认证失败|身份验证失败|未授权/
)

/** Not `budget_tokens` nor a thinking budget, which are the request's. */
const budget = anyOf(
  /(?<!thinking |reasoning )\bbudget\b[^.]{0,40}(?:exceed|exhaust|reached)/,
  /(?:exceed\w*|over|reached)[^.]{0,30}(?<!thinking |reasoning )\bbudget\b|budget_exceeded/
)

const money = anyOf(
  /insufficient[_ ](?:user[_ ])?(?:quota|balance|credit|funds)|credit balance|out of credits/,
  /exceeded[_ ](?:your[_ ])?(?:current[_ ])?(?:\w+[_ ])?quota/,
  /billing|payment|arrear|overdue|good standing|prepaid|recharge|free tier/,
  /(?:no|any|purchase|purchase more|(?:monthly|daily)? ?included|free) credits|free allocation/,
  /spend(?:ing)? limit|\busage limits?\b|key limit exceeded/,
  /(?:balance|credits?|quota)\b[^.]{0,40}(?:depleted|exhausted|expired|insufficient|not enough|used up)/,
  /not (?:yet )?available (?:for|on|in|with) (?:this|your) (?:\w+ )?(?:subscription|plan|tier|account)\b/,
  /余额|欠费|额度|配额|充值|资源包|套餐/
)

const suspension = anyOf(
  /\b(?:suspend|deactivated|terminated|banned)/,
  /(?:account|organi[sz]ation|project|team|workspace)[^.]{0,30}(?:been denied|closed|disabled|locked|not active|inactive|restricted)/,
  /subscription ?(?:[\w-]+ )?(?:is )?(?:disabled|expired|cancell?ed|not ?(?:active|registered))/,
  /封禁|停用|冻结|(?:账户|账号|帐户|帐号)[^。]{0,10}(?:锁定|禁用|未激活|非激活|异常)/
)

const region = anyOf(
  /(?:country|region|territory|location)[^.]{0,40}not (?:supported|available|allowed)/,
  /unsupported (?:countr|region|territor|location)|(?:国家|地区|区域)[^。]{0,10}(?:不支持|不可用|限制)/
)

/** It speaks of the operator's account, whatever parameter it names. */
export const operatorsAccount =
  /\b(?:your|this|the) organi[sz]ation['’]?s? (?:has|is|must|needs)\b|organi[sz]ation[_ ](?:disabled|restricted)/i

/** In a 403 alone: what the key or the account may not do. */
export const permission = anyOf(
  /permission|forbidden|not (?:allowed|authori[sz]ed|permitted) to|n[o']t have (?:[a-z]+ )?access|no access/,
  /cannot access|restricted access|requires? (?:a |an )?(?:subscription|upgrade|verification)/,
  /private endpoint|public access|\bip\b.{0,60}(?:not|不在)/,
  /blocked at the|无权|没有权限|权限不足|白名单/
)

/** What becomes of a model, or is not so. */
const gone =
  /(?:disabled|offline|retired|discontinued|removed|sunset|deprecated|decommissioned|unavailable|no longer (?:available|supported|accessible|served))/

export const unknownModel = anyOf(
  /model[_ ]not[_ ]found|deployment[_ ]?not[_ ]?found|invalid[_ ]model|model_?not_?open|model_permission_blocked/,
  /(?:model|deployment)\b[^.]{0,120}(?:does not exist|not exist|not found|not available|not supported|no access|unknown)/,
  /(?:model|deployment)\b[^.]{0,120}(?:is not a valid|only for api versions|requires terms acceptance)/,
  new RegExp(
    `(?:model|deployment)(?: version)?(?: [^ ]+)? (?:(?:is|was|has been) )?(?:currently |temporarily )?${gone.source}`
  ),
  /(?:model|deployment)\b[^.]{0,120}has been (?:deprecated|decommissioned|retired)/,
  /model requires? an? (?:paid|pro|subscription|upgrade|higher)\b/,
  /model (?:identifier|id|name|code)\b[^.]{0,60} is (?:invalid|incorrect)|model[^.]{0,40} reached (?:its )?end of life/,
  /model[^.]{0,20} access[^.]{0,10} denied|not activated the model|no models? (?:is |are )?loaded/,
  /(?:unknown|unsupported|no such|not a valid|non-serverless) model|model[^.]{0,60}on-demand throughput/,
  /(?:does not work with|access to|to access) (?:the (?:specified )?)?model/,
  /no (?:available )?(?:endpoints|channel|deployment|provider)s? (?:available |found )?(?:for|matching)/,
  /api[- ]version[^.]{0,20} (?:not supported|invalid|unsupported)|unsupported api[- ]version|no route for|unexpected model name/,
  /模型[^。]{0,12}(?:不存在|下线|下架|停用|弃用|未开通|未找到|无可用渠道)|无可用渠道/
)

export const tooLargeForTier =
  /rate_limit_exceeded|tokens_limit_reached|tokens per (?:min|day)|\b(?:tpm|rpm|tpd)\b|your (?:current )?tier/i

/** Said with a status that is not 429. */
export const tooFast = anyOf(
  /rate[_ ]limit|too many requests|throttl|request limit reached|please wait before/,
  /速率限制|限流|(?:请求|调用|访问)[^。]{0,6}(?:频繁|过快|频率)|访问量过大|并发[^。]{0,8}(?:超|过|上限)/
)

/** The limits of the model, in the words of each. */
const context = anyOf(
  /context[_ ](?:length|size|limit|window)|maximum context|model token limit/,
  /too many tokens(?!,? please wait| per\b)|(?:prompt|input|request|messages?|text)\b[^.]{0,20} too long/,
  /(?:input|prompt|sequence|message)s?\b[^.]{0,20} (?:length|token count|tokens)\b[^.]{0,40}(?:exceed|should be|must be|longer)/,
  /token length exceed|reduce the length of|maximum number of (?:input )?tokens/,
  /maximum (?:allowed )?(?:input|prompt|sequence) length|exceed_context_size/,
  /上下文|(?:输入|文本|内容|prompt|消息)[^。]{0,12}(?:过长|超长|长度)|最大长度/
)

/** What a filter found in the request or in its answer. */
const content = anyOf(
  /content[_ ](?:filter|policy|management)|safety|moderation|inappropriate content|data_?inspection/,
  /(?<!case[- ])sensitive(?! case)|content exists risk|prohibited_content|prompt[_ ]blocked/,
  /(?:prompt|input|content)\b[^.]{0,30} flagged|敏感|违规|不合规|不安全/
)

export const requestsOwn = anyOf(
  context,
  content,
  /invalid_prompt|previous_response_not_found|(?:response|item) with id/
)

export const encryptedContent = /invalid_encrypted_content|encrypted content/i

export const unknownReference = /previous_response_not_found|(?:response|item)s? with id/i

export const isUnpaid = (text: string): boolean => money.test(text) || budget.test(text)

export const isSuspended = (text: string): boolean => suspension.test(text) || operatorsAccount.test(text)

/** It speaks of the operator's money or account. */
export const isOperators = (text: string): boolean => isUnpaid(text) || isSuspended(text) || region.test(text)
