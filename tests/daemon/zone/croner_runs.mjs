// Prints, for each spec in each zone, the runs that croner finds within a year, as Unix seconds:
//   node croner_runs.mjs MODULE FROM TO ZONE,ZONE... SPEC SPEC...
const [module, from, to, zones, ...specs] = process.argv.slice(2);
const { Cron } = await import(module);
for (const timezone of zones.split(',')) {
  for (const spec of specs) {
    const cron = new Cron(spec, { timezone });
    const runs = [];
    for (let at = new Date(from * 1000); ;) {
      at = cron.nextRun(at);
      if (at === null || at.getTime() / 1000 >= to) break;
      runs.push(at.getTime() / 1000);
    }
    console.log(`${timezone}|${spec}|${runs.join(' ')}`);
  }
}
