/** Groups of lanes that are called one after the other: lanes that are there, each in one group, and fewer at once than lanes. */
import { among, type Finding, type SiteView } from './view.ts'

export function checkCalling({ calling, lanes }: SiteView): Finding[] {
  const out: Finding[] = []
  const groupOf = new Map<string, string>()
  for (const [name, group] of Object.entries(calling ?? {})) {
    group.lanes.forEach((lane, i) => {
      const path = ['calling', name, 'lanes', i]
      const other = groupOf.get(lane)
      if (!lanes.has(lane)) out.push({ path, message: `there is no lane "${lane}"`, hint: among(lane, lanes.keys(), 'lane') })
      else if (other !== undefined)
        out.push({ path, message: `lane ${lane} is in group ${other} already`, hint: 'a lane waits in one group' })
      groupOf.set(lane, name)
    })
    if (group.at_once >= group.lanes.length)
      out.push({
        path: ['calling', name, 'at_once'],
        message: `nobody ever waits: ${group.at_once} at once of ${group.lanes.length} lanes`,
        hint: 'make at_once smaller, or take the group out',
        severity: 'warning',
      })
  }
  return out
}
