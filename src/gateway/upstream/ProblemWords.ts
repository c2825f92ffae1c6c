/**
 * The words by which upstreams tell what is the operator's affair from what is the request's own: money, credentials, the account,
 * the region, the model, the rate. Collected from what providers and proxies really answer; tests hold their sentences.
 *
 * @internal
 */

export const credentials =
  /invalid[_ ]api[_ ]key|incorrect api key|api[_ ]?key[^.]{0,40}(?:not valid|invalid|expired|missing|disabled|leaked)|api_key_invalid|authenticat|unauthori[sz]ed|authorization failed|invalid (?:\w+ )?credential|invalid (?:api |access |auth\w* |bearer |security )?token\b(?! (?:count|id|limit|number))|(?:access|auth\w*|bearer|security) token[^.]{0,40}(?:expired|invalid|not valid)|no auth|access denied/i

/** Not `budget_tokens` nor a thinking budget, which are the request's. */
const budget =
  /(?<!thinking |reasoning )\bbudget\b[^.]{0,40}(?:exceed|exhaust|reached)|(?:exceed\w*|over|reached)[^.]{0,30}(?<!thinking |reasoning )\bbudget\b|budget_exceeded/i

const money =
  /insufficient[_ ](?:user[_ ])?(?:quota|balance|credit|funds)|credit balance|exceeded your (?:current )?quota|billing|payment|arrear|overdue|good standing|out of credits|(?:no|any|purchase|purchase more) credits|spend(?:ing)? limit|\busage limits?\b|key limit exceeded|free tier|(?:balance|credits?|quota)\b[^.]{0,40}(?:depleted|exhausted|expired|insufficient|not enough|used up)|prepaid|recharge|余额|欠费|额度|配额|充值/i

const suspension =
  /suspend|deactivated|terminated|banned|(?:account|organi[sz]ation|project|team|workspace)[^.]{0,30}(?:been denied|closed|disabled|locked|not active|restricted)|封禁|停用/i

const region = /(?:country|region|territory|location)[^.]{0,40}not (?:supported|available|allowed)/i

/** It speaks of the operator's account, whatever parameter it names. */
export const operatorsAccount =
  /\b(?:your|this|the) organi[sz]ation['’]?s? (?:has|is|must|needs)\b|organi[sz]ation[_ ](?:disabled|restricted)/i

/** In a 403 alone: what the key or the account may not do. */
export const permission =
  /permission|forbidden|not (?:allowed|authori[sz]ed|permitted) to|n[o']t have (?:[a-z]+ )?access|no access|private endpoint|public access|blocked at the|无权|没有权限/i

export const unknownModel =
  /model[_ ]not[_ ]found|deployment[_ ]?not[_ ]?found|invalid[_ ]model|(?:model|deployment)\b[^.]{0,120}(?:does not exist|not exist|not found|not available|not supported|no access|unknown|is not a valid|has been (?:deprecated|decommissioned|retired)|only for api versions|requires terms acceptance)|(?:unknown|unsupported|no such|not a valid|non-serverless) model|model[^.]{0,60}on-demand throughput|(?:does not work with|access to|to access) (?:the (?:specified )?)?model|no (?:available )?(?:endpoints|channel|deployment|provider)s? (?:available |found )?(?:for|matching)|模型不存在|无可用渠道/i

export const tooLargeForTier =
  /rate_limit_exceeded|tokens_limit_reached|tokens per (?:min|day)|\b(?:tpm|rpm|tpd)\b|your (?:current )?tier/i

/** Said with a status that is not 429. */
export const tooFast = /rate[_ ]limit|too many requests|throttl|request limit reached/i

export const requestsOwn =
  /context[_ ]length|maximum context|context window|context limit|too many tokens|prompt is too long|invalid_prompt|content[_ ](?:filter|policy|management)|safety|moderation|previous_response_not_found|(?:response|item) with id/i

export const encryptedContent = /invalid_encrypted_content|encrypted content/i

export const unknownReference = /previous_response_not_found|(?:response|item)s? with id/i

export const isUnpaid = (text: string): boolean => money.test(text) || budget.test(text)

export const isSuspended = (text: string): boolean => suspension.test(text) || operatorsAccount.test(text)

/** It speaks of the operator's money or account. */
export const isOperators = (text: string): boolean => isUnpaid(text) || isSuspended(text) || region.test(text)
