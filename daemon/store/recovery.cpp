#include "daemon/store/recovery.h"

#include <algorithm>
#include <chrono>

#include "daemon/store/row_reader.h"
#include "shm/crash_point.h"

namespace pqd {
namespace {

StoreError damaged(const std::string& what) {
  return {Error::kSystemError, what + ": the store is damaged, restore it from a backup", true};
}

StoreResult<ChainHash> hash_of(const StoreView& store, uint64_t number) {
  const auto entry = store.find_entry(number);
  if (!entry) return std::unexpected(entry.error());
  if (!*entry)
    return std::unexpected(damaged("commit " + std::to_string(number) + " is missing from the journal"));
  return entry_hash(**entry);
}

StoreResult<void> restore_rows(const StoreView& store, State& state, Recovered& recovered) {
  const auto checkpoint = store.load_checkpoint();
  if (!checkpoint) return std::unexpected(checkpoint.error());
  if (!*checkpoint) return {};
  recovered.covered = recovered.last_commit = (*checkpoint)->covered;
  auto tables = Tables::decode((*checkpoint)->tables);
  if (!tables) return std::unexpected(damaged("the tables of the checkpoint cannot be read"));
  recovered.checkpoint_tables = *tables;
  state.tables = std::move(*tables);
  state.timers.start(state.tables.now_ns);
  PQD_CRASH_POINT("recovery-tables-read");
  state.jobs.expect(store.live_estimate());
  RowReader reader(store, state.tables.queue_count());
  while (auto batch = reader.next())
    if (!state.restore(std::move(*batch)))
      return std::unexpected(damaged("two rows of live jobs have the same id"));
  if (auto rows = reader.result(); !rows) return rows;
  auto hash = hash_of(store, recovered.covered);
  if (!hash) return std::unexpected(hash.error());
  recovered.last_hash = *hash;
  return {};
}

StoreResult<void> replay_tail(const StoreView& store, uint64_t known, State& state, Recovered& recovered,
                              const StoreView::CommitVisitor& replayed) {
  std::string fault;
  const auto read =
      store.for_each_commit(recovered.covered + 1, [&](uint64_t number, ByteView entry, ByteView block) {
        if (number > recovered.last_commit + 1 && recovered.last_commit >= known) {
          recovered.first_stray = number;
          return false;
        }
        const std::string name = "commit " + std::to_string(number);
        const auto view = read_entry(entry);
        if (!view) {
          fault = name + ": " + std::string(view.error());
        } else if (number != recovered.last_commit + 1 || view->head.number != number) {
          fault = name + " does not follow commit " + std::to_string(recovered.last_commit);
        } else if (view->head.previous != recovered.last_hash) {
          fault = name + " is not chained to the commit before it";
        } else if (view->head.block_bytes != block.size()) {
          fault = name + ": its block is missing or cut short";
        } else if (!state.replay(number, view->events, Bytes(block.begin(), block.end()))) {
          fault = name + " cannot be replayed";
        }
        if (!fault.empty()) return false;
        recovered.last_commit = number;
        recovered.last_hash = entry_hash(entry);
        ++recovered.commits_replayed;
        return replayed(number, entry, block);
      });
  if (!read) return read;
  if (!fault.empty()) return std::unexpected(damaged(fault));
  return {};
}

StoreResult<void> hear(const StoreView& store, const std::optional<Testimony>& testimony,
                       const Recovered& recovered) {
  if (!testimony) return {};
  if (testimony->commit > recovered.last_commit) {
    return std::unexpected(StoreError{Error::kSystemError,
                                      "the journal ends at commit " + std::to_string(recovered.last_commit) +
                                          ", but commit " + std::to_string(testimony->commit) +
                                          " was acknowledged: history was lost below pqd (disk, file system, "
                                          "or an old copy of the directory). It "
                                          "will not serve this; restore the directory from a backup",
                                      true});
  }
  const auto hash = hash_of(store, testimony->commit);
  if (!hash) return std::unexpected(hash.error());
  if (*hash == testimony->hash) return {};
  return std::unexpected(damaged("commit " + std::to_string(testimony->commit) +
                                 " is not the one that was acknowledged under that number"));
}

}  // namespace

StoreResult<uint64_t> known_to_survive(const StoreView& store, const std::optional<Testimony>& testimony) {
  const auto synced = store.known_synced();
  if (!synced || !testimony) return synced;
  return std::max(*synced, testimony->commit);
}

StoreResult<Recovered> recover(const StoreView& store, const std::optional<Testimony>& testimony,
                               State& state, const StoreView::CommitVisitor& replayed) {
  const auto start = std::chrono::steady_clock::now();
  Recovered recovered;
  if (auto ok = restore_rows(store, state, recovered); !ok) return std::unexpected(ok.error());
  state.restored();
  PQD_CRASH_POINT("recovery-rows-restored");
  const auto known = known_to_survive(store, testimony);
  if (!known) return std::unexpected(known.error());
  if (auto ok = replay_tail(store, *known, state, recovered, replayed); !ok)
    return std::unexpected(ok.error());
  PQD_CRASH_POINT("recovery-tail-replayed");
  if (auto ok = hear(store, testimony, recovered); !ok) return std::unexpected(ok.error());
  recovered.live_jobs = state.jobs.size();
  const auto took = std::chrono::steady_clock::now() - start;
  recovered.took_ms = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
  return recovered;
}

}  // namespace pqd
