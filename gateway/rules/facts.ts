/** What a rule may ask about: one zod schema gives the type, the CEL vocabulary (vocabulary.ts) and the documentation. */
import { z } from 'zod'

/** How a condition may use the word, and its unit. */
interface About {
  readonly example: string
  readonly unit?: string
}

const about = (description: string, { example, unit }: About) => ({ description, examples: [example], ...(unit ? { unit } : {}) })
const text = (description: string, example: string, def = '') => z.string().default(def).meta(about(description, { example }))
const flag = (description: string, example: string, def = false) => z.boolean().default(def).meta(about(description, { example }))
const num = (description: string, example: string, { unit, def = 0 }: { unit?: string; def?: number } = {}) =>
  z
    .number()
    .default(def)
    .meta(about(description, { example, ...(unit ? { unit } : {}) }))
const texts = (description: string, example: string, def: string[] = []) =>
  z.array(z.string()).default(def).meta(about(description, { example }))

/** Without a value given: an ordinary declared vehicle in the right lane, which the examples of rules start from. */
export const facts = z.strictObject({
  lane: z
    .strictObject({
      id: text('Lane id', 'lane.id == "import-2"', 'lane-1'),
      direction: text('import or export', 'lane.direction == "import"', 'import'),
      takes: texts('Traffic classes the lane takes', '!(declaration.traffic in lane.takes)', ['loaded']),
      priority: flag('Agricultural priority lane', 'lane.priority && !mark.seen'),
      scale: flag('A weighbridge stands in this lane', 'lane.scale && !weight.known'),
      tag: flag('A UHF tag reader stands in this lane', 'lane.tag && !tag.known'),
      code: flag('A code scanner stands in this lane', 'lane.code && !code.known'),
    })
    .prefault({}),
  vehicle: z
    .strictObject({
      read: flag('At least one plate was read', '!vehicle.read', true),
      sure: flag('The plate is sure: enough frames agree, no weak character', '!vehicle.sure', true),
      plate: text('Plate the vehicle goes by, without dots and dashes, empty when unread', 'vehicle.plate.startsWith("24")', '24C12345'),
      country: text('vn, cn or empty', 'vehicle.country == "cn"', 'vn'),
      trailer: text('Rear plate when it differs, else empty', 'vehicle.trailer != ""'),
      match: text(
        'exact, near, lookalike (see `plates.lookalike` of the site file), ambiguous, undeclared or unread',
        'vehicle.match == "near"',
        'exact',
      ),
      candidates: num('How many declarations could be meant', 'vehicle.candidates > 1', { def: 1 }),
      agreement: num(
        'How far everything that was both declared and seen agrees, 0 to 1; 0 without a declaration',
        'vehicle.agreement < 0.8',
        { def: 1 },
      ),
    })
    .prefault({}),
  declaration: z
    .strictObject({
      found: flag('Exactly one declaration fits the vehicle', '!declaration.found', true),
      id: text('Id of the declaration', 'declaration.id.startsWith("T-")', 'D1'),
      direction: text('import or export', 'declaration.direction != lane.direction', 'import'),
      traffic: text('loaded, empty, agricultural, two-way, parcel or border-resident', 'declaration.traffic == "empty"', 'loaded'),
      channel: text('Inspection channel: green, yellow or red', 'declaration.channel == "red"', 'green'),
      in_date: flag('Now is within its validity', '!declaration.in_date', true),
      expired: flag('Its validity is over', 'declaration.expired'),
      goods: text('Goods in words', 'declaration.goods.contains("durian")'),
      firm: text('Firm', 'declaration.firm == ""'),
      trailer: text('Declared trailer plate, else empty', 'declaration.trailer != "" && vehicle.trailer == ""'),
      firm_id: text('Tax or registration number of the firm, else empty', 'declaration.firm == "" && declaration.firm_id == ""'),
      container: text('Declared container number, else empty', 'declaration.container != ""'),
      perishable: flag('The goods spoil', 'declaration.perishable'),
      quarantine: text('none, pending, passed, failed, or empty when nothing is said', 'declaration.quarantine == "failed"'),
      resident: text('Document number of the border resident, else empty', 'declaration.resident == ""'),
      trips: num('How many passages it is good for', 'usage.times >= declaration.trips', { def: 1 }),
    })
    .prefault({}),
  goods: z
    .strictObject({
      items: num('How many kinds of goods are declared one by one', 'goods.items > 0'),
      kinds: texts('Their kinds, each once', '"durian" in goods.kinds'),
      hs: texts('Their HS codes, each once, digits only', 'goods.hs.exists(h, h.startsWith("0810"))'),
      fresh: texts('What of them is fresh fruit (HS chapter 08): kinds, or HS codes where no kind is given', 'size(goods.fresh) > 0'),
      under_protocol: texts('What of them is on the list `protocol-goods`', '"durian" in goods.under_protocol'),
      clean: texts('What of them is on the list `clean-goods`: years without a finding', '"mango" in goods.clean'),
      untraced: texts('What of them is under a protocol and lacks its growing-area or packing-house code', 'size(goods.untraced) > 0'),
      growing_areas: texts('Growing-area codes, each once', 'goods.growing_areas.exists(c, c.startsWith("VN-LCOR"))'),
      packing_houses: texts('Packing-house codes, each once', '"VN-LCPH-001" in goods.packing_houses'),
      unlisted_codes: texts(
        'Codes of goods under a protocol that are not on the lists `growing-area` and `packing-house`',
        'size(goods.unlisted_codes) > 0',
      ),
      origins: texts('Countries of origin, two letters, each once', '"VN" in goods.origins'),
      net_kg: num('Net weight of all goods, 0 when not declared', 'goods.net_kg > 30000', { unit: 'kg' }),
      value: num('Value of all goods in the declared currency, 0 when not declared', 'goods.currency == "VND" && goods.value > 2000000'),
      currency: text('VND, CNY, USD or empty', 'goods.currency == "CNY"'),
    })
    .prefault({}),
  two_way: z
    .strictObject({
      linked: flag('The declaration names one for the other way', 'two_way.linked'),
      found: flag('That other declaration is here', 'two_way.linked && !two_way.found'),
      same_vehicle: flag('It is for the same tractor', 'two_way.found && !two_way.same_vehicle'),
      same_firm: flag('It is of the same firm', 'two_way.found && !two_way.same_firm'),
      opposite: flag('It is for the other direction', 'two_way.found && !two_way.opposite'),
    })
    .prefault({}),
  transshipment: z
    .strictObject({
      linked: flag('The declaration names a vehicle that goods are moved to or from by hand', 'transshipment.linked'),
      plate: text('Plate of that vehicle, else empty', 'transshipment.plate.startsWith("24")'),
      found: flag('That vehicle has a declaration that is in date', 'transshipment.linked && !transshipment.found'),
      mutual: flag('And its declaration names this vehicle', 'transshipment.found && !transshipment.mutual'),
    })
    .prefault({}),
  weight: z
    .strictObject({
      known: flag('The scale shows a stable weight', 'weight.known'),
      kg: num('Weight on the scale, 0 when not known', 'weight.known && weight.kg > 48000', { unit: 'kg' }),
      declared_kg: num('Declared gross weight, 0 when not declared', 'weight.declared_kg > 0', { unit: 'kg' }),
      tare_kg: num('Declared tare, 0 when not declared', 'weight.tare_kg > 0 && weight.kg > weight.tare_kg * 1.05 + 500', { unit: 'kg' }),
    })
    .prefault({}),
  tag: z
    .strictObject({
      known: flag('A UHF tag was seen at the stop line', 'lane.tag && !tag.known'),
      epc: text('EPC of the nearest one, upper-case hex, else empty', 'tag.epc.startsWith("E280")'),
      declared: text('The tag or code as declared, else empty', 'tag.declared != ""'),
      same: flag('The declared tag or code was seen', 'tag.same'),
      other: flag('Tags or codes were seen, and the declared one was not among them', 'tag.other'),
    })
    .prefault({}),
  code: z
    .strictObject({
      known: flag('A code was scanned at the stop line', 'code.known'),
      text: text('Its text, else empty', 'code.text.startsWith("NS-")'),
    })
    .prefault({}),
  container: z
    .strictObject({
      known: flag('A container number was scanned at the stop line', 'declaration.container != "" && !container.known'),
      number: text('That number, else empty', 'container.number.startsWith("CSQU")'),
      same: flag('It is the declared one, and its check digit is right', 'container.same'),
      other: flag('Another one than declared, one that nobody declared, or one with a wrong check digit', 'container.other'),
    })
    .prefault({}),
  mark: z
    .strictObject({
      seen: flag(
        'The vehicle carries the mark of agricultural priority: by tag, by code, by its plate or by its declaration',
        'lane.priority && !mark.seen',
      ),
      by: text(
        'tag, code or plate: what is on the list `agricultural-mark` or was seen as declared; declaration: it says so; else empty',
        'mark.by == "tag"',
      ),
    })
    .prefault({}),
  lists: z
    .strictObject({
      detained: flag('A plate or tag that was read, could be meant, or is declared is on the list `detained`', 'lists.detained'),
      priority_firm: flag('The firm is on the list `priority-firm`', 'lists.priority_firm'),
      stale: flag('The lists are older than `lists.max_age_h` of the site file: whatever the rules say, nothing passes', 'lists.stale'),
      age_h: num('Time since the platform was last heard; a million when never', 'lists.age_h > 6', { unit: 'h' }),
      max_age_h: num('How old they may be by the site file', 'lists.age_h > lists.max_age_h / 2', { unit: 'h', def: 24 }),
    })
    .prefault({}),
  usage: z
    .strictObject({
      times: num('How often a vehicle was cleared with this declaration in this direction before', 'usage.times >= declaration.trips'),
      last_h: num('Since the last time, 0 when never', 'usage.times > 0.0 && usage.last_h < 1.0', { unit: 'h' }),
      elsewhere: flag('Another vehicle with this declaration is in a lane now: let through, or with the officer', 'usage.elsewhere'),
    })
    .prefault({}),
  today: z
    .strictObject({
      resident_trips: num(
        'Loads of the border resident today, without this one: cleared, or being let through now',
        'today.resident_trips >= 2.0',
      ),
      resident_net_kg: num('Their declared net weight', 'today.resident_net_kg + goods.net_kg > 500.0', { unit: 'kg' }),
      resident_value: num('Their declared value, of those in the currency of this one', 'today.resident_value + goods.value > 2000000.0'),
      resident_other_currency: flag('Some of them are declared in another currency: the sum is not all', 'today.resident_other_currency'),
      firm_trips: num('The same for the firm: loads', 'today.firm_trips >= 20.0'),
      firm_net_kg: num('The same for the firm: declared net weight', 'today.firm_net_kg + goods.net_kg > 400000.0', { unit: 'kg' }),
      firm_value: num(
        'The same for the firm: declared value, of those in the currency of this one',
        'today.firm_value + goods.value > 5000000000.0',
      ),
    })
    .prefault({}),
  stay: z
    .strictObject({
      known: flag('The vehicle goes back, is known to have come in, and counted as inside', 'stay.known'),
      h: num('Since it came in, 0 when not known', 'stay.h > 30.0', { unit: 'h' }),
      limit_h: num('How long it may stay by `stays` of the site file', 'stay.limit_h == 36.0', { unit: 'h' }),
      over: flag('It stayed longer', 'stay.over'),
      again: flag('It comes in and is known to be inside already: its way out was missed, or it is not the same vehicle', 'stay.again'),
    })
    .prefault({}),
  empties: z
    .strictObject({
      inside: num('Empty vehicles inside', 'empties.inside > 30.0'),
      oldest_h: num('How long the first of them has stood', 'empties.oldest_h > 12.0', { unit: 'h' }),
      backlog: flag('They are more than `stays.empties` of the site file', 'empties.backlog && declaration.traffic == "empty"'),
    })
    .prefault({}),
  elsewhere: z
    .strictObject({
      open: texts(
        'Filled when the rules send the vehicle to another lane: open lanes that take it, best first',
        'size(elsewhere.open) == 0',
      ),
      closed: texts('Lanes that would take it and are not open now', 'size(elsewhere.closed) > 0'),
      been: texts('Lanes that would take it and have sent it away before', 'size(elsewhere.been) > 0'),
    })
    .prefault({}),
  peer: z
    .strictObject({
      site: text('Site id of the other half of a smart gate; empty: this site is no half of one', 'peer.site != ""'),
      from: flag('Vehicles in the direction of this lane come from the other side', 'peer.from && !peer.expected'),
      up: flag('The other side was heard within the last minute', 'peer.from && !peer.up'),
      silent_min: num('Time since it was last heard', 'peer.silent_min > 30', { unit: 'min' }),
      expected: flag('The other side has handed this vehicle over, and it has not passed yet', 'peer.expected'),
      plate: text('Plate as it was handed over, else empty', 'peer.expected && peer.plate != vehicle.plate'),
      left_min: num('Time since it left the other side, 0 when not expected', 'peer.left_min > 20', { unit: 'min' }),
      late: flag('It took longer than `peer.within_min` of the site file', 'peer.late'),
      differences: texts('What is not as it was handed over: `trailer 24R00001 ≠ 24R09999`', 'size(peer.differences) > 0'),
    })
    .prefault({}),
  disagreements: texts(
    'Codes of what does not fit: plate, trailer, weight, second-plate, tag, container, direction, validity',
    '"trailer" in disagreements',
  ),
  differences: texts('The same with what was declared and what was seen: `trailer 24RM04466 ≠ 24RM00817`', 'size(differences) > 2'),
})
export type Facts = z.output<typeof facts>
export type FactsInput = z.input<typeof facts>

const hours = (h: number): string => String(Math.round(h * 10) / 10)

/** Words that may stand in a reason as `{word}`, and what they become. */
export function words(f: Facts): Record<string, string> {
  return {
    plate: f.vehicle.plate || '?',
    trailer: f.vehicle.trailer || '-',
    lane: f.lane.id,
    direction: f.lane.direction,
    declaration: f.declaration.id || '-',
    declared_direction: f.declaration.direction,
    traffic: f.declaration.traffic,
    takes: f.lane.takes.join(', '),
    channel: f.declaration.channel,
    candidates: String(f.vehicle.candidates),
    kg: String(Math.round(f.weight.kg)),
    tare_kg: String(Math.round(f.weight.tare_kg)),
    declared_kg: String(Math.round(f.weight.declared_kg)),
    tag: f.tag.epc || '-',
    container: f.container.number || '-',
    agreement: `${Math.round(f.vehicle.agreement * 100)} %`,
    firm: f.declaration.firm || f.declaration.firm_id || '-',
    goods: (f.goods.kinds.length > 0 ? f.goods.kinds : f.goods.hs).join(', ') || f.declaration.goods || '-',
    fresh: f.goods.fresh.join(', ') || '-',
    untraced: f.goods.untraced.join(', ') || '-',
    codes: [...f.goods.growing_areas, ...f.goods.packing_houses].join(', ') || '-',
    unlisted_codes: f.goods.unlisted_codes.join(', ') || '-',
    origins: f.goods.origins.join(', ') || '-',
    net_kg: String(Math.round(f.goods.net_kg)),
    value: `${Math.round(f.goods.value)} ${f.goods.currency}`.trim(),
    resident: f.declaration.resident || '-',
    times: String(f.usage.times),
    last_h: hours(f.usage.last_h),
    resident_today: `${Math.round(f.today.resident_value)} ${f.goods.currency}`.trim(),
    stay_h: hours(f.stay.h),
    limit_h: hours(f.stay.limit_h),
    empties: String(f.empties.inside),
    other_plate: f.transshipment.plate || '-',
    peer: f.peer.site || '-',
    left_min: String(Math.round(f.peer.left_min)),
    silent_min: String(Math.round(f.peer.silent_min)),
    handed_over: f.peer.differences.join(', ') || '-',
    disagreements: (f.differences.length > 0 ? f.differences : f.disagreements).join(', ') || '-',
  }
}
