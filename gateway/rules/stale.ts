/** Lists that are too old: whatever the rules say, nobody passes on them. */
import type { Facts } from './facts.ts'
import type { RuleOutcome } from './schema.ts'

interface Reason {
  readonly vi: string
  readonly zh: string
  readonly en: string
}

/** `lists.age_h` when the platform was never heard: CEL has no infinity. */
export const NEVER_H = 1_000_000

const NEVER: Reason = {
  vi: 'Danh sách tờ khai: chưa từng nhận được tin từ nền tảng cửa khẩu số: chuyển cán bộ trực',
  zh: '申报名单：从未收到数字口岸平台的消息：转值班员处理',
  en: 'The lists: the platform was never heard: to the officer',
}

/** The decision, or on lists that are too old a referral in place of a pass. What the rules said stays among the reasons: it helps the officer. */
export function unlessStale<D extends { readonly outcome: RuleOutcome; readonly reasons: readonly Reason[] }>(
  decision: D,
  { lists }: Facts,
): D {
  if (!lists.stale || decision.outcome !== 'pass') return decision
  const hours = (h: number) => String(Math.round(h * 10) / 10)
  const [age, most] = [hours(lists.age_h), hours(lists.max_age_h)]
  const old: Reason = {
    vi: `Danh sách tờ khai đã cũ: liên lạc cuối với nền tảng cách đây ${age} giờ (tối đa ${most} giờ): chuyển cán bộ trực`,
    zh: `申报名单已过时：距上次与平台联系已 ${age} 小时（上限 ${most} 小时）：转值班员处理`,
    en: `The lists are too old: last contact with the platform ${age} h ago (at most ${most} h): to the officer`,
  }
  const reason = lists.age_h >= NEVER_H ? NEVER : old
  return { ...decision, outcome: 'refer', rule: 'lists-stale', reasons: [reason, ...decision.reasons] }
}
