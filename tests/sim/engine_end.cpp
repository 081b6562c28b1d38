// At the end: memory, checkpoint rows and a replay of the whole journal are three folds of one history.
#include "core/queries.h"
#include "tests/sim/engine.h"
#include "tests/support/metrics_recount.h"

namespace pqd::sim {
namespace {

Bytes row_bytes(const JobRow& row) {
  JobRow copy = row;
  if (!is_finished(copy.core.state)) return encode_row(copy);
  // Finished rows may or may not have been cut already.
  drop_payload(copy);
  return encode_row(copy);
}

}  // namespace

void Engine::demand_same_everywhere() {
  while (!written_.empty()) {
    const Commit& commit = written_.front();
    const auto ok = fold_->fold(commit.number, *commit.entry, *commit.block_bytes);
    require(ok.has_value(), "fold into rows: ", ok ? "" : ok.error().text);
    written_.pop_front();
  }
  demand_replay_agrees();
  if (fold_->pending()) around_.store.checkpoint(fold_->take());
  demand_figures_agree();
  Tables folded = fold_->tables();
  folded.apply(TimePassed{state_->now()});
  // Jobs of durability `memory` took numbers that no journal tells of.
  require(state_->had_memory_jobs || folded.encode() == state_->tables.encode(),
          "the tables of the checkpoint differ from those in memory");
  size_t in_memory = 0;
  for (const auto& [id, job] : around_.model.finished()) {
    if (job.in_memory() && ++in_memory > 0) continue;
    const Slot slot = state_->jobs.find(id);
    const auto stored = rows_.find_finished(id);
    require(stored.has_value(), "job ", id, " is finished and has no row in the store");
    if (slot != kNoSlot)
      require(row_bytes(*stored) == row_bytes(row_of(*state_, slot)), "job ", id,
              ": its row differs from memory");
  }
  state_->retire(fold_->folded());
  require(state_->jobs.size() == in_memory, "jobs stay in memory after everything has ended");
  around_.model.compare_finished(true, [this](const JobId& id) { return find_row(id); });
  around_.model.compare_finished(false, [this](const JobId& id) { return rows_.find_finished(id); });
  const size_t stored = around_.model.finished().size() - in_memory;
  require(around_.store.done_rows() == stored, around_.store.done_rows(), " rows of finished jobs, not ",
          stored);
  size_t dead = 0;
  for (const auto& [id, job] : around_.model.finished()) dead += job.dead_letter() ? 1u : 0u;
  require(around_.store.dead_letters() == dead, around_.store.dead_letters(),
          " dead letters in the store, not ", dead);
}

// However often engines and power failed: nothing is counted twice and nothing is missing.
void Engine::demand_figures_agree() {
  test::MetricsRecount recount;
  around_.store.for_each_ever([&](uint64_t, ByteView entry, ByteView) { recount.add(entry); });
  const auto& stored = around_.store.metrics();
  require(stored.size() == recount.rows().size(), stored.size(), " rows of figures, not ",
          recount.rows().size());
  for (const auto& [key, row] : recount.rows()) {
    const auto at = stored.find(key);
    require(at != stored.end() && decode_metrics_row(*at->second) == row, "the figures of queue ", key.queue,
            " and type ", key.type, " are not what a recount comes to");
  }
}

void Engine::demand_replay_agrees() {
  State replayed;
  uint64_t last = 0;
  ChainHash previous{};
  around_.store.for_each_ever([&](uint64_t number, ByteView entry, ByteView block) {
    const auto view = read_entry(entry);
    require(view.has_value() && view->head.number == last + 1 && number == last + 1,
            "the journal has a gap after commit ", last);
    require(view->head.previous == previous, "the chain is broken before commit ", number);
    if (number == 1) replayed.timers.start(view->head.now_ns);
    require(replayed.replay(number, view->events, Bytes(block.begin(), block.end())), "commit ", number,
            " cannot be replayed");
    require(!as_text(block).contains(kMemoryPayload), "commit ", number,
            " has a job of durability memory in its block");
    previous = entry_hash(entry);
    last = number;
  });
  if (around_.walk) replayed.check_invariants(State::Walk::kReplayed);
  replayed.apply(TimePassed{state_->now()});
  require(state_->had_memory_jobs || replayed.tables.encode() == state_->tables.encode(),
          "the replayed tables differ from those in memory");
  state_->jobs.for_each([&](Slot slot) {
    if (is_memory(state_->jobs[slot].no)) return;
    const Slot there = replayed.jobs.find(state_->jobs[slot].no);
    require(there != kNoSlot && encode_row(row_of(*state_, slot)) == encode_row(row_of(replayed, there)),
            "job ", state_->jobs[slot].id, ": the replayed one differs from memory");
  });
}

}  // namespace pqd::sim
