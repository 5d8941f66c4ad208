/** The lane plan: lanes and plans that are there, one plan at a time, and no lane that turns without a switch that says its arm is shut. */
import { among, type Finding, readable, type SiteView, setting } from './view.ts'

export function checkPlans(view: SiteView): Finding[] {
  const { plan } = view
  if (!plan) return []
  const path = (...steps: PropertyKey[]) => ['lane_plan', ...steps]
  const lanes = new Map(readable(view.lanes))
  const out: Finding[] = []
  for (const [name, planned] of Object.entries(plan.plans))
    for (const [lane, { direction }] of Object.entries(planned)) {
      const at = path('plans', name, lane)
      const config = lanes.get(lane)
      if (!view.lanes.has(lane))
        out.push({ path: at, key: true, message: `there is no lane "${lane}"`, hint: among(lane, view.lanes.keys(), 'lane') })
      if (!config || direction === undefined || direction === config.direction) continue
      const barrier = view.devices.get(config.barrier)
      if (barrier && setting(barrier, 'closed_limit') === undefined)
        out.push({
          path: [...at, 'direction'],
          message: `lane ${lane} cannot turn: no switch says when its arm is shut`,
          hint: `give ${config.barrier} a closed_limit, or leave the direction out`,
        })
    }
  const taken = new Map<string, string>()
  plan.schedule.forEach((entry, i) => {
    if (plan.plans[entry.plan] === undefined)
      out.push({
        path: path('schedule', i, 'plan'),
        message: `there is no plan "${entry.plan}"`,
        hint: among(entry.plan, Object.keys(plan.plans), 'plan'),
      })
    for (const day of entry.days) {
      const time = `${day} ${entry.at}`
      const other = taken.get(time)
      if (other !== undefined && other !== entry.plan)
        out.push({
          path: path('schedule', i, 'at'),
          message: `plan ${other} begins at the same time (${time})`,
          hint: 'one plan at a time',
        })
      taken.set(time, entry.plan)
    }
  })
  return out
}
