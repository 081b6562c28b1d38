#include "tests/crash/recorded_life.h"

#include <algorithm>
#include <filesystem>

#include "daemon/store/recovery.h"
#include "daemon/store/row_fold.h"
#include "tests/crash/fault_fs.h"
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
  }

  std::unique_ptr<RecordedLife> run() {
    FaultFs* fs = new FaultFs(dir_.path(), &life_->log);
    const std::shared_ptr<rocksdb::FileSystem> owner(fs);
    if (life_->plan.forget_directory_syncs) fs->forget_directory_syncs();
    const auto env = rocksdb::NewCompositeEnv(owner);
    auto store =
        Store::open({.directory = dir_.path(), .env = env.get(), .buffer_divisor = kBufferDivisor});
    if (!store) {
      ADD_FAILURE() << store.error().text;
      return std::move(life_);
    }
    // Its file is made once, outside of RocksDB.
    life_->log.add({DiskOp::Kind::kCreate, kWitnessInode, 0, "witness", {}, {}});
    life_->log.add({DiskOp::Kind::kSyncDirectory, 0, 0, "", {}, {}});
    auto witness = Witness::open(dir_.path()).value();
    Workload work(**store, life_->plan.seed);
    RowFold fold(**store, {}, 0);
    note(work);
    while (work.last_number() < life_->plan.commits) step(**store, witness, work, fold);
    return std::move(life_);
  }

 private:
  void step(Store& store, Witness& witness, Workload& work, RowFold& fold) {
    const Commit commit = work.commit();
    life_->begun.push_back({life_->log.size(), commit.number});
    check(store.append(commit.number, *commit.entry, *commit.block_bytes));
    check(fold.fold(commit.number, *commit.entry, *commit.block_bytes));
    note(work);
    if (random_() % 3 == 0) {
      if (life_->plan.tell_before_sync) life_->told.push_back({life_->log.size(), commit.number});
      check(store.sync(commit.number));
      life_->told.push_back({life_->log.size(), commit.number});
      if (random_() % 3 == 0) testify(witness, {commit.number, commit.hash});
    }
    if (random_() % 6 == 0) {
      check(store.checkpoint(fold.take()));
      work.retire(commit.number);
    }
  }

  void check(const StoreResult<void>& result) {
    if (!result) ADD_FAILURE() << result.error().text;
  }

  void testify(Witness& witness, const Testimony& testimony) {
    const std::string path = dir_.path("witness");
    const std::string before = read_file(path);
    check(witness.record(testimony));
    std::string after = read_file(path);
    uint64_t from = 0;
    while (from < before.size() && from < after.size() && before[from] == after[from]) ++from;
    life_->log.add({DiskOp::Kind::kWrite, kWitnessInode, from, {}, {}, after.substr(from)});
    life_->log.add({DiskOp::Kind::kSync, kWitnessInode, 0, {}, {}, {}});
  }

  void note(const Workload& work) {
    const Picture picture = picture_of(work.state());
    life_->live.push_back(digest(picture.live, picture.tables));
    ChainHash finished{};
    for (const auto& [id, row] : work.finished()) mix(finished, id, row);
    life_->finished.push_back(finished);
  }

  std::unique_ptr<RecordedLife> life_;
  std::mt19937_64 random_;
  TempDir dir_;
};

}  // namespace

uint64_t RecordedLife::latest(const std::vector<Mark>& marks, size_t ops) {
  const auto after = std::ranges::upper_bound(marks, ops, {}, &Mark::ops);
  return after == marks.begin() ? 0 : std::prev(after)->commit;
}

std::unique_ptr<RecordedLife> record_life(const LifePlan& plan) { return Recorder(plan).run(); }

std::string fault_of_image(const std::string& directory, const RecordedLife& life, size_t ops) {
  const auto store = Store::open({.directory = directory, .buffer_divisor = kBufferDivisor});
  if (!store) return "does not open: " + store.error().text;
  const auto witness = Witness::open(directory);
  if (!witness) return "witness: " + witness.error().text;
  State state;
  const auto recovered =
      recover(**store, *witness, state, [](uint64_t, ByteView, ByteView) { return true; });
  if (!recovered) return "is not recovered: " + recovered.error().text;
  const uint64_t last = recovered->last_commit;
  if (last < life.told_by(ops))
    return "comes back with commit " + std::to_string(last) + ", and commit " +
           std::to_string(life.told_by(ops)) + " was acknowledged";
  if (last > life.begun_by(ops))
    return "comes back with commit " + std::to_string(last) + " of the future";
  const Picture picture = picture_of(state);
  if (last > 0 && digest(picture.live, picture.tables) != life.live[last])
    return "is another state than that of commit " + std::to_string(last);
  RowFold fold(**store, recovered->checkpoint_tables, recovered->covered);
  const auto read = (*store)->for_each_commit(recovered->covered + 1,
                                              [&fold](uint64_t number, ByteView entry, ByteView block) {
                                                return fold.fold(number, entry, block).has_value();
                                              });
  if (!read) return "its journal cannot be read: " + read.error().text;
  if (const auto done = (*store)->checkpoint(fold.take()); !done) return "takes no checkpoint: " + done.error().text;
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
