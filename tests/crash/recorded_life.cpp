#include "tests/crash/recorded_life.h"

#include <algorithm>
#include <filesystem>
#include <future>

#include "daemon/store/recovery.h"
#include "daemon/store/row_fold.h"
#include "tests/daemon/store/expectations.h"

namespace pqd::test {
namespace {

// Write buffers of 64 KiB and less: a short life fills many of them.
constexpr uint32_t kBufferDivisor = 512;
constexpr InodeNo kWitnessInode = 1'000'000;

ChainHash digest(const std::map<JobNo, Bytes>& rows, const Bytes& more) {
  Bytes all = more;
  for (const auto& [job, row] : rows) all.insert(all.end(), row.begin(), row.end());
  return entry_hash(all);
}

// In no order, so that rows may come and go.
void mix(ChainHash& into, const JobId& id, ByteView row) {
  const std::string name = id.to_string();
  Bytes all(as_bytes(name).begin(), as_bytes(name).end());
  all.insert(all.end(), row.begin(), row.end());
  const ChainHash hash = entry_hash(all);
  for (size_t i = 0; i < into.size(); ++i) into[i] ^= hash[i];
}

class Recorder {
 public:
  explicit Recorder(const LifePlan& plan) : life_(std::make_unique<RecordedLife>()), random_(plan.seed) {
    life_->plan = plan;
    if (plan.directory.empty()) life_->own_directory.emplace();
    life_->directory = plan.directory.empty() ? life_->own_directory->path() : plan.directory;
    life_->now.emplace_back();  // of no commit at all
    life_->live.emplace_back();
    life_->finished.emplace_back();
  }

  std::unique_ptr<RecordedLife> run() {
    const auto fs = std::make_shared<FaultFs>(path(), &life_->log);
    fs->plan(life_->plan.fault);
    if (life_->plan.forget_directory_syncs) fs->forget_directory_syncs();
    const auto env = rocksdb::NewCompositeEnv(fs);
    auto store = Store::open({.directory = path(), .env = env.get(), .buffer_divisor = kBufferDivisor});
    if (store)
      live(**store);
    else
      life_->end = store.error();
    if (store) store->reset();
    life_->calls = fs->calls();
    life_->reads = fs->reads();
    life_->faulted = fs->failed();
    return std::move(life_);
  }

 private:
  const std::string& path() const { return life_->directory; }

  void live(Store& store) {
    // Its file is made once, outside of RocksDB.
    auto witness = Witness::open(path()).value();
    const std::string empty = read_file(path() + "/witness");
    life_->log.add({DiskOp::Kind::kCreate, kWitnessInode, 0, "witness", {}, {}});
    life_->log.add({DiskOp::Kind::kWrite, kWitnessInode, 0, {}, {}, empty});
    life_->log.add({DiskOp::Kind::kSync, kWitnessInode, 0, {}, {}, {}});
    life_->log.add({DiskOp::Kind::kSyncDirectory, 0, 0, "", {}, {}});
    Workload work(store, life_->plan.seed);
    RowFold fold(store, {}, 0);
    while (work.last_number() < life_->plan.commits) {
      if (step(store, witness, work, fold)) continue;
      hear_of_sync(witness);
      const Bytes bytes(100);
      life_->went_on = store.append(store.last_commit() + 1, bytes, bytes) ||
                       store.sync(store.last_commit()) || store.checkpoint({}) || store.next_epoch();
      return;
    }
    if (!hear_of_sync(witness)) return;
    if (!life_->plan.last_word || !check(store.sync(work.last_number()))) return;
    tell(work.last_number());
    testify(witness, {work.last_number(), work.last_hash()});
  }

  bool step(Store& store, Witness& witness, Workload& work, RowFold& fold) {
    const Commit commit = work.commit();
    began(commit.number);
    note(work);
    if (!check(store.append(commit.number, *commit.entry, *commit.block_bytes, commit.cuts))) return false;
    if (!check(fold.fold(commit.number, *commit.entry, *commit.block_bytes))) return false;
    if (random_() % 3 == 0) {
      if (life_->plan.tell_before_sync) tell(commit.number);
      if (!hear_of_sync(witness)) return false;
      synced_ = {commit.number, commit.hash};
      sync_ = std::async(life_->plan.syncs_beside ? std::launch::async : std::launch::deferred,
                         [this, &store, number = commit.number] {
                           const auto ok = store.sync(number);
                           if (ok) tell(number);
                           return ok;
                         });
      if (!life_->plan.syncs_beside && !hear_of_sync(witness)) return false;
    }
    if (random_() % 6 == 0) {
      const size_t before = life_->log.size();
      const CheckpointBatch batch = fold.take();
      if (!check(store.checkpoint(batch))) return false;
      life_->checkpoints.push_back(
          {before, life_->log.size(), !batch.done_puts.empty() && batch.done_deletes.empty()});
      work.retire(commit.number);
    }
    return true;
  }

  // The one that was begun last has ended by then.
  bool hear_of_sync(Witness& witness) {
    if (!sync_.valid()) return true;
    if (!check(sync_.get())) return false;
    if (random_() % 3 == 0) testify(witness, synced_);
    return true;
  }

  void began(uint64_t commit) {
    life_->begun.push_back({life_->log.size(), commit});
    if (life_->plan.board != nullptr) life_->plan.board->begun.store(commit, std::memory_order_relaxed);
  }
  void tell(uint64_t commit) {
    life_->told.push_back({life_->log.size(), commit});
    if (life_->plan.board != nullptr) life_->plan.board->told.store(commit, std::memory_order_relaxed);
  }

  bool check(const StoreResult<void>& result) {
    if (!result) life_->end = result.error();
    return result.has_value();
  }

  void testify(Witness& witness, const Testimony& testimony) {
    const std::string file = path() + "/witness";
    const std::string before = read_file(file);
    check(witness.record(testimony));
    std::string after = read_file(file);
    uint64_t from = 0;
    while (from < before.size() && from < after.size() && before[from] == after[from]) ++from;
    // The one slot that was written, not what stands behind it.
    size_t to = after.size();
    while (to > from && to <= before.size() && before[to - 1] == after[to - 1]) --to;
    life_->log.add({DiskOp::Kind::kWrite, kWitnessInode, from, {}, {}, after.substr(from, to - from)});
    life_->log.add({DiskOp::Kind::kSync, kWitnessInode, 0, {}, {}, {}});
  }

  void note(const Workload& work) {
    const Picture picture = picture_of(work.state());
    life_->now.push_back(work.state().now());
    life_->live.push_back(digest(picture.live, picture.tables));
    ChainHash finished{};
    for (const auto& [id, row] : work.finished()) mix(finished, id, row);
    life_->finished.push_back(finished);
  }

  std::unique_ptr<RecordedLife> life_;
  std::mt19937_64 random_;
  Testimony synced_;  // by the latest sync, once it has ended
  std::future<StoreResult<void>> sync_;
};

}  // namespace

uint64_t RecordedLife::latest(const std::vector<Mark>& marks, size_t ops) {
  const auto after = std::ranges::upper_bound(marks, ops, {}, &Mark::ops);
  return after == marks.begin() ? 0 : std::prev(after)->commit;
}

std::unique_ptr<RecordedLife> record_life(const LifePlan& plan) { return Recorder(plan).run(); }

bool is_refusal(std::string_view fault) {
  for (const std::string_view word :
       {"does not open", "witness: ", "is not recovered", "cannot be read", "takes no"})
    if (fault.find(word) < 20) return true;
  return false;
}

std::string fault_of_image(const std::string& directory, const RecordedLife& life, size_t ops,
                           rocksdb::Env* env) {
  const auto store = Store::open({.directory = directory, .env = env, .buffer_divisor = kBufferDivisor});
  if (!store) return "does not open: " + store.error().text;
  const auto witness = Witness::open(directory);
  if (!witness) return "witness: " + witness.error().text;
  State state;
  const auto recovered = recover(**store, *witness, state, [](uint64_t, ByteView, ByteView) { return true; });
  if (!recovered) return "is not recovered: " + recovered.error().text;
  const uint64_t last = recovered->last_commit;
  if (const auto done = (*store)->go_on_after(last); !done) return "does not go on: " + done.error().text;
  if (last < life.told_by(ops))
    return "comes back with commit " + std::to_string(last) + ", and commit " +
           std::to_string(life.told_by(ops)) + " was acknowledged";
  if (last > life.begun_by(ops)) return "comes back with commit " + std::to_string(last) + " of the future";
  state.apply(TimePassed{life.now[last]});
  const Picture picture = picture_of(state);
  if (last > 0 && digest(picture.live, picture.tables) != life.live[last])
    return "is another state than that of commit " + std::to_string(last);
  RowFold fold(**store, recovered->checkpoint_tables, recovered->covered);
  StoreResult<void> folded;
  const auto read =
      (*store)->for_each_commit(recovered->covered + 1, [&](uint64_t number, ByteView entry, ByteView block) {
        folded = fold.fold(number, entry, block);
        return folded.has_value();
      });
  if (!read) return "its journal cannot be read: " + read.error().text;
  if (!folded) return "its rows cannot be read: " + folded.error().text;
  if (const auto done = (*store)->checkpoint(fold.take()); !done)
    return "takes no checkpoint: " + done.error().text;
  ChainHash finished{};
  const auto rows = (*store)->for_each_done(std::nullopt, [&finished](const JobId& id, ByteView row) {
    mix(finished, id, row);
    return true;
  });
  if (!rows) return "its rows cannot be read: " + rows.error().text;
  if (finished != life.finished[last]) return "has other finished jobs than commit " + std::to_string(last);
  return {};
}

}  // namespace pqd::test
