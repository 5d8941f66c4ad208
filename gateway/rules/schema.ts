/** The rules file. First match wins; nothing matched means *refer*. */
import { z } from 'zod'
import { facts } from './facts.ts'

const words = z
  .strictObject({
    vi: z.string().min(1).meta({ title: 'Tiếng Việt', description: 'Reason in Vietnamese; {plate}, {lane} and so on are filled in.' }),
    zh: z.string().min(1).meta({ title: '中文', description: 'Reason in Chinese.' }),
    en: z.string().min(1).meta({ title: 'English', description: 'Reason in English.' }),
  })
  .meta({ title: 'Reasons', description: 'What the officer and the driver are told.' })

export const outcome = z
  .enum(['pass', 'refuse', 'refer', 'redirect'])
  .meta({ title: 'Outcome', description: 'pass opens; refer sends to the desk; redirect to another lane; refuse turns back.' })

export const example = z
  .strictObject({
    name: z.string().min(1).meta({ title: 'Name', description: 'What the example shows.' }),
    given: z.looseObject({}).default({}).meta({ title: 'Given', description: 'Facts that differ from an ordinary declared vehicle.' }),
    expect: outcome,
    by: z.string().optional().meta({ title: 'By', description: 'Rule that must decide; this rule when absent; `default` for none.' }),
  })
  .meta({ title: 'Example', description: 'Run by `luong check` against all rules of the site.' })

export const rule = z
  .strictObject({
    id: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,60}$/)
      .meta({ title: 'Id', description: 'Lower-case letters, digits and dashes; stands in every decision.' }),
    title: z.string().optional().meta({ title: 'Title', description: 'One line for people.' }),
    source: z.string().optional().meta({ title: 'Source', description: 'Where the rule comes from.' }),
    when: z
      .string()
      .min(1, 'the condition is empty (put a condition that begins with ! in quotes: YAML takes a bare ! for a tag)')
      .meta({ title: 'When', description: 'CEL condition over the documented facts.' }),
    then: outcome,
    alarm: z
      .enum(['detained-vehicle', 'peer-unexpected', 'peer-swapped'])
      .optional()
      .meta({ title: 'Alarm', description: 'Alarm raised when this rule decides.' }),
    reasons: words,
    examples: z.array(example).min(1).meta({ title: 'Examples', description: 'At least one.' }),
  })
  .meta({ title: 'Rule', description: 'One rule.' })

export const rulesFile = z
  .strictObject({
    version: z.literal(1).meta({ title: 'Version', description: 'Version of this file format.' }),
    rules: z.array(rule).min(1).meta({ title: 'Rules', description: 'In order of precedence.' }),
  })
  .meta({ title: 'Rules file', description: 'Lane rules.' })

export type Rule = z.output<typeof rule>
export type RuleOutcome = z.output<typeof outcome>
export { facts }
