/** The parts with large libraries behind them (aedes, mqtt.js): read while the journal opens and the models load. */
export async function loadParts() {
  const [{ startBroker }, { Target }, { buildDevices }] = await Promise.all([
    import('../broker/broker.ts'),
    import('./links.ts'),
    import('../../firmware-bridge/build.ts'),
  ])
  return { startBroker, Target, buildDevices }
}

export type Parts = Awaited<ReturnType<typeof loadParts>>
