// One side of the whole life of jobs in a queue for Node.js: life.cjs KIND produce|consume ADDRESS SECONDS.
// ADDRESS is the Unix socket of Redis, or the connection string of PostgreSQL. The consumer says "ready", counts for so
// many seconds from its first job on, and says "done COUNT SECONDS". The producer keeps WINDOW jobs waiting until
// it is ended. npm's packages are those below PQD_BENCH_PEERS.
'use strict';
const { createRequire } = require('node:module');
const { performance } = require('node:perf_hooks');

const load = createRequire(process.env.PQD_BENCH_PEERS + '/');
const [kind, role, address, secondsText] = process.argv.slice(2);
const WINDOW = 10000;
const BATCH = 500;
const CONCURRENCY = 256;
const payload = 'x'.repeat(200);

// Counts jobs, and ends the process when time is over.
function counter() {
  let count = 0;
  let began = 0;
  const end = () => {
    const seconds = (performance.now() - began) / 1000;
    console.log(`done ${count} ${seconds}`);
  };
  return () => {
    if (began === 0) {
      began = performance.now();
      setTimeout(end, Number(secondsText) * 1000);
    }
    count += 1;
  };
}

// Adds batches while fewer than WINDOW wait.
async function produceForever(waiting, add) {
  for (;;) {
    if ((await waiting()) > WINDOW) await new Promise((resolve) => setTimeout(resolve, 5));
    else await Promise.all([add(), add(), add(), add()]);
  }
}

const kinds = {
  bullmq: {
    async produce() {
      const { Queue } = load('bullmq');
      const queue = new Queue('jobs', { connection: { path: address } });
      const jobs = Array.from({ length: BATCH }, () => (
        { name: 'bench', data: { payload }, opts: { removeOnComplete: true } }));
      await produceForever(() => queue.getWaitingCount(), () => queue.addBulk(jobs));
    },
    async consume() {
      const { Worker } = load('bullmq');
      const did = counter();
      const worker = new Worker('jobs', async () => {},
        { connection: { path: address, maxRetriesPerRequest: null }, concurrency: CONCURRENCY });
      worker.on('completed', did);
      await worker.waitUntilReady();
    },
  },
  'bee-queue': {
    async produce() {
      const Queue = load('bee-queue');
      const queue = new Queue('jobs', { redis: { path: address }, isWorker: false, getEvents: false, sendEvents: false,
        storeJobs: false, removeOnSuccess: true });
      await queue.ready();
      await produceForever(async () => (await queue.checkHealth()).waiting,
        () => queue.saveAll(Array.from({ length: BATCH }, () => queue.createJob({ payload }))));
    },
    async consume() {
      const Queue = load('bee-queue');
      const queue = new Queue('jobs', { redis: { path: address }, getEvents: false, sendEvents: false, storeJobs: false,
        removeOnSuccess: true });
      await queue.ready();
      const did = counter();
      queue.on('succeeded', did);
      queue.process(CONCURRENCY, async () => {});
    },
  },
  'graphile-worker': {
    async produce() {
      const { Pool } = load('pg');
      const pool = new Pool({ connectionString: address, max: 4 });
      const add = () => pool.query(
        `select count(*) from graphile_worker.add_jobs(array(
           select ('bench', json_build_object('payload', $1::text), null, null, 1, null, null, null)
             ::graphile_worker.job_spec from generate_series(1, ${BATCH})))`, [payload]);
      const waiting = async () => Number((await pool.query(
        'select count(*) from graphile_worker._private_jobs')).rows[0].count);
      await produceForever(waiting, add);
    },
    async consume() {
      const { run } = load('graphile-worker');
      const { Logger } = load('@graphile/logger');
      const did = counter();
      const quiet = new Logger(() => () => {});
      await run({
        connectionString: address,
        logger: quiet,
        taskList: { bench: async () => { did(); } },
        preset: {
          worker: {
            concurrentJobs: 64,
            maxPoolSize: 10,
            localQueue: { size: 500 },
            completeJobBatchDelay: 0,
            failJobBatchDelay: 0,
            pollInterval: 20,
          },
        },
      });
    },
  },
};

kinds[kind][role]().then(() => { if (role === 'consume') console.log('ready'); },
  (error) => { console.error(error.stack); process.exit(1); });
