/** `luong schema`: JSON Schema of the site file for editors, AsyncAPI of the topics for whoever reads them. */
import type { Command } from 'commander'
import { siteJsonSchema } from '../../config/json-schema.ts'
import { site } from '../../config/schema/site.ts'
import { drivers } from '../../firmware-bridge/registry.ts'

/** Registers the command. */
export function schema(program: Command): void {
  program
    .command('schema')
    .description('print the JSON Schema of the site file, or the AsyncAPI document of the topics')
    .option('--topics', 'the topics and their payloads (AsyncAPI 3)')
    .action(async (options: { readonly topics?: boolean }) => {
      const document = options.topics ? await topics() : siteJsonSchema(drivers)
      process.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
    })
}

/** Of any site, with the topic root that a site file has when it says nothing else. */
async function topics(): Promise<object> {
  const { asyncApi } = await import('../uplink/schemas.ts')
  return asyncApi({ root: site.shape.site.shape.root.parse(undefined), site: '{site}' })
}
