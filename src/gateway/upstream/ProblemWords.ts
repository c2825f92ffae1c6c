/**
 * The words by which upstreams tell what is the operator's affair from what is the request's own: money, credentials, the account,
 * the region, the model, the rate. Collected from what providers and proxies really answer, in English, Chinese, Japanese, Korean and
 * Russian; tests hold their sentences.
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
  /invalid (?:\w+ )?credential|credentials? (?:could not|cannot|are not|is not)|auth_?failure|subscription key/,
  /invalid (?:api |access |auth\w* |bearer |security )?token\b(?! (?:at|count|id|in|limit|number|sequence))/,
  /(?:access|auth\w*|bearer|security) token[^.]{0,40}(?:expired|invalid|not valid)/,
  /request signature|signature (?:expired|does not match|mismatch)|UnrecognizedClient/,
  /(?:令牌|密[钥鑰]|秘钥|api ?key|authorization token)[^。]{0,8}(?:[无無]效|非法|[错錯][误誤]|不正确|不可用|失效|[过過]期|禁用)/,
  /[无無]效的?(?:令牌|密[钥鑰]|api ?key)|[鉴鑑]权|[认認][证證]失[败敗]|身份[验驗][证證]失[败敗]|未授[权權]/,
  /api ?キー[^。]{0,8}(?:無効|不正|正しく)|認証(?:エラー|に失敗)|api ?키[^.]{0,8}(?:유효하지|잘못)|인증[^.]{0,6}실패/,
  /(?:недействител|неверн)[^.]{0,12} (?:api[- ])?ключ|ключ[^.]{0,12} недействител|ошибка авторизации/
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
  /spend(?:ing)? limit|\busage limits?\b|key limit exceeded|trial key|trial (?:period )?(?:has )?(?:ended|expired)/,
  /(?:reached|exceeded) (?:your|the) (?:\w+ )?(?:monthly|weekly|daily) (?:\w+ )?limit|out of call volume quota/,
  /not enough (?:credit|balance|quota|fund)|\btop[- ]?up\b|(?:add|buy) (?:more )?(?:funds|credits)/,
  /(?:balance|credits?|quota)\b[^.]{0,40}(?:depleted|exhausted|expired|insufficient|not enough|used up)/,
  /not (?:yet )?available (?:for|on|in|with) (?:this|your) (?:\w+ )?(?:subscription|plan|tier|account)\b/,
  /[余餘][额額]|欠[费費]|[额額]度|配[额額]|充值|儲值|[资資]源包|套餐/,
  /残高|クレジット[^。]{0,6}不足|課金|잔액|크레딧[^.]{0,6}부족|할당량|недостаточно средств|квот[аы]/
)

const suspension = anyOf(
  /\b(?:suspend|deactivated|terminated|banned)/,
  /(?:account|organi[sz]ation|project|team|workspace)[^.]{0,30}(?:been denied|closed|disabled|locked|not active|inactive|restricted|flagged|blocked|paused)/,
  /verify your (?:account|organi[sz]ation|phone|identity|email)|identity verification|real-name|[实實]名/,
  /subscription ?(?:[\w-]+ )?(?:is )?(?:disabled|expired|cancell?ed|not ?(?:active|registered))/,
  /封禁|停用|[冻凍][结結]|(?:[账帳賬][户戶]|[账帳賬][号號])[^。]{0,10}(?:[锁鎖]定|禁用|未激活|非激活|[异異]常)/,
  /アカウント[^。]{0,8}(?:停止|凍結|無効)|계정[^.]{0,8}(?:정지|차단)|аккаунт[^.]{0,20} заблок/
)

const region = anyOf(
  /(?:country|region|territory|location)[^.]{0,40}not (?:supported|available|allowed)/,
  /not (?:available|supported|allowed|permitted) (?:in|from) (?:your|this) (?:country|region|territory|location)/,
  /unsupported (?:countr|region|territor|location)|(?:[国國]家|地[区區]|[区區]域)[^。]{0,10}(?:不支持|不可用|限制)/
)

/** It speaks of the operator's account, whatever parameter it names. */
export const operatorsAccount =
  /\b(?:your|this|the) organi[sz]ation['’]?s? (?:has|is|must|needs)\b|organi[sz]ation[_ ](?:disabled|restricted)/i

/** In a 403 alone: what the key or the account may not do. */
export const permission = anyOf(
  /permission|forbidden|not (?:allowed|authori[sz]ed|permitted) to|n[o']t have (?:[a-z]+ )?access|no access/,
  /cannot (?:access|consume)|restricted access|requires? (?:a |an )?(?:subscription|upgrade|verification)/,
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
  /no (?:available |healthy )?(?:endpoint|channel|deployment|provider)s? (?:available |found )?(?:for|matching)/,
  /endpoint (?:is )?(?:paused|disabled|not (?:found|ready|running))|header is required|missing (?:required )?header/,
  /api[- ]version[^.]{0,20} (?:not supported|invalid|unsupported)|unsupported api[- ]version|no route for|unexpected model name/,
  /模型[^。]{0,12}(?:不存在|下[线線]|下架|停用|[弃棄]用|未[开開]通|未找到)|[无無]可用渠道/,
  /モデル[^。]{0,12}(?:存在しません|見つかりません)|모델[^.]{0,12}(?:찾을 수 없|존재하지)|модель[^.]{0,20} не найдена/
)

export const tooLargeForTier =
  /rate_limit_exceeded|tokens_limit_reached|tokens per (?:min|day)|\b(?:tpm|rpm|tpd)\b|your (?:current )?tier/i

/** Said with a status that is not 429. */
export const tooFast = anyOf(
  /rate[_ ]limit|too many requests|throttl|request limit reached|please wait before/,
  /速率限制|限流|(?:[请請]求|[调調]用|[访訪][问問])[^。]{0,6}(?:[频頻]繁|[过過]快|[频頻]率)|[访訪][问問]量[过過]大|[并並][发發][^。]{0,8}(?:超|[过過]|上限)/,
  /レート制限|リクエスト[^。]{0,8}多すぎ|요청[^.]{0,8}(?:한도|너무 많)|слишком много запросов|лимит запросов/
)

/** The limits of the model, in the words of each. */
const context = anyOf(
  /context[_ ](?:length|size|limit|window)|maximum context|model token limit/,
  /too many tokens(?!,? please wait| per\b)|(?:prompt|input|request|messages?|text)\b[^.]{0,20} too long/,
  /(?:input|prompt|sequence|message)s?\b[^.]{0,20} (?:length|token count|tokens)\b[^.]{0,40}(?:exceed|should be|must be|longer)/,
  /token length exceed|reduce the length of|maximum number of (?:input )?tokens/,
  /maximum (?:allowed )?(?:input|prompt|sequence) length|exceed_context_size/,
  /上下文|(?:[输輸]入|文本|[内內]容|prompt|消息)[^。]{0,12}(?:[过過][长長]|[长長]度|超[长長])|最大[长長]度/,
  /コンテキスト|長すぎ|컨텍스트|너무 깁니다|контекст|слишком длинн/
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
