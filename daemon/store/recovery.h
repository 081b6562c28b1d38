// Brings the broker's state back: the last checkpoint, then the journal's tail, each link of its chain
// checked, and the whole held against the witness.
#pragma once

#include "core/state.h"
#include "daemon/store/store_view.h"
#include "daemon/store/witness.h"

namespace pqd {

struct Recovered {
  uint64_t last_commit = 0;
  ChainHash last_hash{};
  uint64_t covered = 0;  // by the checkpoint it began with
  Tables checkpoint_tables;
  uint64_t live_jobs = 0;  // in memory now, those that finished in the tail among them
  uint64_t commits_replayed = 0;
  // Commits from this one on are in the journal, behind a gap, and do not count; 0 = none. A power cut may
  // take a piece out of the middle of what was not synced; that is no more than it may take.
  uint64_t first_stray = 0;
  int64_t took_ms = 0;
};

// The latest commit that is known to survive power loss, by the witness or by the store: a journal that has a
// gap before it was damaged.
StoreResult<uint64_t> known_to_survive(const StoreView& store, const std::optional<Testimony>& testimony);

// `testimony` is the witness's, nothing when it has none. `replayed` is called for each commit of the tail.
// Whoever goes on from there tells the store first (go_on_after), which removes what does not count; whoever
// folds the tail into rows hands it to a RowFold over checkpoint_tables then, from for_each_commit(covered +
// 1).
StoreResult<Recovered> recover(const StoreView& store, const std::optional<Testimony>& testimony,
                               State& state, const StoreView::CommitVisitor& replayed);
inline StoreResult<Recovered> recover(const StoreView& store, const Witness& witness, State& state,
                                      const StoreView::CommitVisitor& replayed) {
  return recover(store, witness.testimony(), state, replayed);
}

}  // namespace pqd
