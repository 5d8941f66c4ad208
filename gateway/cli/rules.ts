/** `luong rules explain`: what rules may ask about and what a site's rules say. `luong rules test`: changed rules over recorded passages. */
import type { Command } from 'commander'
import { finish } from './print.ts'
import { type DrawsOptions, provenDraws } from './rules-draws.ts'
import { type ExplainOptions, explainRules } from './rules-explain.ts'
import { type TestOptions, testRules } from './rules-test.ts'

export function rules(program: Command): void {
  const group = program.command('rules').description('the words of rules, what the rules of a site say, and what changed ones would do')
  group
    .command('explain')
    .argument('[site.yaml]', 'a site file: its rules are told in order')
    .description('the vocabulary of conditions; with a site, its rules in plain words')
    .option('--json', 'one JSON object a line: each word, function and rule')
    .action((site: string | undefined, options: ExplainOptions) => finish(() => explainRules(site, options)))
  group
    .command('test')
    .argument('<site.yaml>', 'a site file: its rules as they stand in the files now')
    .argument('<data-dir>', 'data folder of a gateway, running or not')
    .description('what the rules would decide otherwise over recorded passages; changes nothing')
    .option('--passage <id>', 'one passage')
    .option('--day <date>', 'passages that arrived on this day of the site: 2026-11-21')
    .option('--all', 'all passages')
    .option('--expect-same', 'exit code 1 when anything is decided otherwise, or nothing could be decided again')
    .option('--json', 'one JSON object a line: each passage, then a summary')
    .action((site: string, dir: string, options: TestOptions) => finish(() => testRules(site, dir, options)))
  group
    .command('draws')
    .argument('<data-dir>', 'data folder of a gateway, running or not, or of a backup')
    .description('every draw of a sampling again, and whether the rate was kept; exit code 1 when not')
    .option('--seed <seed>', 'the seed as it was published; absent: as recorded with each draw')
    .option('--day <date>', 'passages that arrived on this day of the site: 2026-11-21; absent: all of them')
    .option('--json', 'one JSON object a line: each draw, then a summary')
    .action((dir: string, options: DrawsOptions) => finish(() => provenDraws(dir, options)))
}
