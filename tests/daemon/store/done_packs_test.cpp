// Rows of finished jobs in packs: what is found, listed and counted, and what stands by itself.
#include <map>
#include <random>

#include "core/job_row.h"
#include "daemon/store/done_cursor.h"
#include "daemon/store/done_pack.h"
#include "daemon/store/rocksdb_bytes.h"
#include "daemon/store/salvage.h"
#include "tests/daemon/store/damaged_store.h"

namespace pqd::test {
namespace {

JobId id_of(uint64_t ms, uint64_t counter) { return JobId::make(ms, 7, 1, counter); }

TEST(DonePackTest, ComesBackAsItWasWritten) {
  std::vector<std::pair<JobId, ByteView>> jobs;
  const std::vector<Bytes> rows{bytes_of(1, 40), {}, bytes_of(3, 9)};
  for (size_t i = 0; i < rows.size(); ++i) jobs.emplace_back(id_of(5, i + 1), rows[i]);
  const Bytes bytes = pack_done(jobs);
  const auto back = unpack_done(bytes);
  ASSERT_TRUE(back);
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(back->ids[i], jobs[i].first);
    EXPECT_TRUE(std::ranges::equal(back->rows[i], rows[i]));
  }
  const auto ids = unpack_done_ids(pack_done_ids(back->ids));
  ASSERT_TRUE(ids);
  EXPECT_EQ(ids->ids, back->ids);
}

TEST(DonePackTest, IsRefusedWhenItIsCutOrGoesOnOrIsOutOfOrder) {
  const Bytes row = bytes_of(1, 30);
  const auto packed = [&row](std::vector<JobId> ids) {
    std::vector<std::pair<JobId, ByteView>> jobs;
    for (const JobId& id : ids) jobs.emplace_back(id, row);
    return pack_done(jobs);
  };
  Bytes bytes = packed({id_of(5, 1), id_of(5, 2)});
  Bytes ids = pack_done_ids(std::vector{id_of(5, 1), id_of(5, 2)});
  for (size_t cut = 0; cut < bytes.size(); ++cut)
    EXPECT_FALSE(unpack_done(ByteView(bytes).first(cut))) << cut;
  for (size_t cut = 0; cut < ids.size(); ++cut)
    EXPECT_FALSE(unpack_done_ids(ByteView(ids).first(cut))) << cut;
  EXPECT_FALSE(unpack_done(packed({id_of(5, 2), id_of(5, 1)})));
  EXPECT_FALSE(unpack_done(packed({id_of(5, 2), id_of(5, 2)})));
  EXPECT_FALSE(unpack_done(Bytes{std::byte{1}, std::byte{0}})) << "nobody";
  bytes.push_back({});
  ids.push_back({});
  EXPECT_FALSE(unpack_done(bytes));
  EXPECT_FALSE(unpack_done_ids(ids));
  bytes.pop_back();
  bytes[0] = std::byte{2};
  EXPECT_FALSE(unpack_done(bytes)) << "another version";
}

TEST(DonePackTest, KeysStandInTheOrderOfWindowRunAndId) {
  const std::vector<DonePackKey> keys{{{1, 9, 9}, id_of(200, 1)},
                                      {{2, 3, 9}, id_of(300, 1)},
                                      {{2, 4, 1}, id_of(257, 1)},
                                      {{2, 4, 1}, id_of(257, 2)},
                                      {{2, 4, 2}, id_of(256, 1)}};
  const Bytes prefix = bytes_of(1, 13);
  std::string last;
  for (const DonePackKey& key : keys) {
    const std::string bytes = write_pack_key(prefix, key);
    EXPECT_LT(last, bytes);
    last = bytes;
    EXPECT_EQ(read_pack_key(as_bytes(bytes), 13), key);
    EXPECT_FALSE(read_pack_key(as_bytes(bytes), 12));
  }
}

class DonePacks : public ::testing::Test {
 protected:
  void add(const JobId& id, JobState state, QueueNo queue = 0, size_t note_bytes = 0) {
    JobRow row;
    row.core.id = id;
    row.core.state = state;
    row.core.queue = queue;
    row.note = std::string(note_bytes, 'n');
    batch.done_puts.emplace_back(id, encode_row(row));
    expected[id] = {batch.done_puts.back().second, row.core};
  }
  // So many completed jobs of one millisecond.
  void add_many(size_t count, uint64_t ms, QueueNo queue = 0) {
    for (size_t i = 0; i < count; ++i) add(id_of(ms, ++counter), JobState::kCompleted, queue);
  }
  void write() {
    std::ranges::sort(batch.done_puts, {}, &std::pair<JobId, Bytes>::first);
    batch.covered = ++covered;
    ASSERT_TRUE(store->checkpoint(batch));
    batch = {};
  }
  void reopen() {
    store.reset();
    store = open_store(directory.path());
    ASSERT_TRUE(store->next_epoch());
  }
  struct Look : DamagedStore {
    explicit Look(const std::string& path) : database(path) {}
    void TestBody() override {}
    Database database;
  };
  size_t keys_in(const std::string& family) {
    store.reset();
    const size_t keys = Look(directory.path()).database.count(family);
    store = open_store(directory.path());
    return keys;
  }
  std::vector<JobId> list(const JobFilter& filter) {
    std::vector<JobId> ids;
    DoneCursor cursor(*store, filter);
    while (!cursor.finished() && ids.size() < filter.limit) {
      size_t rows = 1'000;
      EXPECT_TRUE(cursor.step(filter.limit - ids.size(), rows, ids));
    }
    return ids;
  }
  std::vector<JobId> listed_by_hand(const JobFilter& filter) {
    std::vector<JobId> ids;
    for (auto at = expected.rbegin(); at != expected.rend() && ids.size() < filter.limit; ++at)
      if (filter.matches(at->second.second)) ids.push_back(at->first);
    return ids;
  }
  void expect_as_written() {
    auto next = expected.rbegin();
    ASSERT_TRUE(store->for_each_done(std::nullopt, [&](const JobId& id, ByteView row) {
      EXPECT_NE(next, expected.rend());
      if (next == expected.rend()) return false;
      EXPECT_EQ(id, next->first);
      EXPECT_TRUE(std::ranges::equal(row, next->second.first));
      return next++->first == id;
    }));
    EXPECT_EQ(next, expected.rend());
    size_t indexed = 0;
    ASSERT_TRUE(store->for_each_indexed([&](const std::optional<DoneKey>& key) {
      const auto found = key ? expected.find(key->id) : expected.end();
      EXPECT_TRUE(found != expected.end() && key->group == DoneGroup::of(found->second.second));
      return ++indexed > 0;
    }));
    EXPECT_EQ(indexed, expected.size());
    for (const auto& [id, row] : expected) ASSERT_EQ(store->find_done(id).value(), row.first);
  }

  TempDir directory;
  std::unique_ptr<Store> store = open_store(directory.path());
  std::map<JobId, std::pair<Bytes, JobCore>> expected;
  CheckpointBatch batch;
  uint64_t counter = 0;
  uint64_t covered = 0;
};

TEST_F(DonePacks, HoldManyJobsOfAWindowInFewKeys) {
  add_many(130, 1'000);
  write();
  EXPECT_EQ(keys_in("done_packs"), 2u);
  EXPECT_EQ(keys_in("index_packs"), 2u);
  EXPECT_EQ(keys_in("done"), 2u) << "two are no pack";
  EXPECT_EQ(keys_in("done_index"), 2u);
  expect_as_written();
}

TEST_F(DonePacks, LeaveAloneWhoMayChangeAgainAndWhoIsLarge) {
  for (uint64_t i = 0; i < 20; ++i) add(id_of(1'000, 10 * i), JobState::kCompleted);
  for (uint64_t i = 0; i < 20; ++i) add(id_of(1'000, 10 * i + 1), JobState::kFailed);
  for (uint64_t i = 0; i < 20; ++i) add(id_of(1'000, 10 * i + 2), JobState::kTimeout);
  for (uint64_t i = 0; i < 20; ++i) add(id_of(1'000, 10 * i + 3), JobState::kCancelled);
  for (uint64_t i = 0; i < 20; ++i) add(id_of(1'000, 10 * i + 4), JobState::kCompleted, 0, 5'000);
  write();
  EXPECT_EQ(keys_in("done"), 60u);
  EXPECT_EQ(keys_in("done_packs"), 1u);
  EXPECT_EQ(keys_in("index_packs"), 2u) << "completed, cancelled";
  expect_as_written();
}

TEST_F(DonePacks, TakeNobodyOfAnotherWindow) {
  for (uint64_t ms = 0; ms < 30; ++ms) add(id_of(1'014 + ms, 1), JobState::kCompleted);  // 1024 begins one
  write();
  EXPECT_EQ(keys_in("done_packs"), 2u);
  expect_as_written();
}

TEST_F(DonePacks, ListTheSameAsALookAtEveryRow) {
  std::mt19937 random(43);
  const auto below = [&random](uint32_t bound) { return static_cast<uint32_t>(random() % bound); };
  std::vector<JobId> unwritten;
  for (int round = 0; round < 60; ++round) {
    const uint64_t ms = 1'000 + 40 * static_cast<uint64_t>(round);
    for (int i = 0; i < 100; ++i) {
      // Jobs of up to ten checkpoints ago end in each.
      const JobId id = id_of(ms - below(400), ++counter);
      const auto state = static_cast<JobState>(below(20) == 0 ? 3 + below(4) : 3);
      add(id, state, below(8) == 0 ? 1 + below(5) : 0);
    }
    write();
    if (round % 20 == 9) reopen();
  }
  expect_as_written();
  for (int i = 0; i < 200; ++i) {
    JobFilter filter;
    if (below(2) == 0) filter.queue = below(6);
    if (below(2) == 0) filter.states = static_cast<uint8_t>(below(128));
    if (below(3) == 0) filter.since_ms = 900 + below(2'500);
    if (below(3) == 0) filter.older_than = std::next(expected.begin(), below(6'000))->first;
    filter.limit = 1 + below(300);
    ASSERT_EQ(list(filter), listed_by_hand(filter)) << "filter " << i;
  }
  for (int i = 0; i < 100; ++i) {
    const JobId bound = std::next(expected.begin(), below(6'000))->first;
    std::vector<JobId> ids;
    ASSERT_TRUE(store->for_each_done(bound, [&ids](const JobId& id, ByteView) {
      ids.push_back(id);
      return ids.size() < 20;
    }));
    ASSERT_EQ(ids, listed_by_hand({.older_than = bound, .limit = 20}));
  }
}

TEST_F(DonePacks, AreTakenOnceWhereAnUnfinishedCheckpointHadWrittenThemBefore) {
  add_many(100, 1'000);
  const auto some = expected;
  write();
  // The recovery folds the same commits again, and more of them come with the next checkpoint.
  reopen();
  const auto all = [&] {
    for (const auto& [id, row] : some) batch.done_puts.emplace_back(id, row.first);
    for (uint64_t i = 0; i < 50; ++i) add(id_of(1'000, 2 * i + 200), JobState::kCompleted, 3);
  };
  all();
  write();
  expect_as_written();
  EXPECT_EQ(list({.queue = 0, .limit = 1'000}).size(), 100u);
  EXPECT_EQ(list({.limit = 1'000}), listed_by_hand({.limit = 1'000}));
  // As many commits as before, by another engine: nothing of the run of the first is in its way.
  --covered;
  reopen();
  add_many(30, 1'001);
  for (const auto& [id, row] : some) batch.done_puts.emplace_back(id, row.first);
  write();
  expect_as_written();
}

TEST_F(DonePacks, HoldARedrivenJobThatWasCompletedThen) {
  for (uint64_t i = 1; i <= 10; ++i) add(id_of(1'000, i), JobState::kFailed);
  write();
  for (uint64_t i = 1; i <= 10; ++i) batch.done_deletes.push_back(id_of(1'000, i));
  for (uint64_t i = 1; i <= 10; ++i) add(id_of(1'000, i), JobState::kCompleted);
  write();
  EXPECT_EQ(keys_in("done"), 0u);
  EXPECT_EQ(keys_in("done_index"), 0u);
  EXPECT_EQ(keys_in("done_packs"), 1u);
  expect_as_written();
}

TEST_F(DonePacks, DoNotKnowAJobThatIsNotThere) {
  for (uint64_t i = 0; i < 20; ++i) add(id_of(1'000, 2 * i), JobState::kCompleted);
  write();
  for (const JobId& id : {id_of(1'000, 7), id_of(999, 2), id_of(1'001, 2), id_of(5, 1), id_of(1'000, 99)})
    EXPECT_EQ(store->find_done(id).value(), std::nullopt);
}

TEST_F(DonePacks, AreReadWhileTheirOwnerWritesOn) {
  add_many(100, 1'000);
  write();
  const auto reader = Store::open({.directory = directory.path(), .read_only = true});
  ASSERT_TRUE(reader) << reader.error().text;
  EXPECT_TRUE((*reader)->find_done(id_of(1'000, 50)).value());
}

TEST_F(DonePacks, ThatAreDamagedAreAnErrorAndNotFewerJobs) {
  add_many(100, 1'000);
  write();
  store.reset();
  {
    Look look(directory.path());
    look.database.put("done_packs", look.database.first_key("done_packs"), "?");
    look.database.put("index_packs", look.database.first_key("index_packs"), "?");
  }
  store = open_store(directory.path());
  EXPECT_FALSE(store->for_each_done(std::nullopt, [](const JobId&, ByteView) { return true; }));
  EXPECT_FALSE(store->find_done(id_of(1'000, 1)));
  EXPECT_FALSE(store->for_each_indexed([](const std::optional<DoneKey>&) { return true; }));
  DoneCursor cursor(*store, {.queue = 0, .limit = 100});
  std::vector<JobId> ids;
  StoreResult<void> read;
  for (int i = 0; i < 10 && read; ++i) {
    size_t rows = 1'000;
    read = cursor.step(100 - ids.size(), rows, ids);
  }
  EXPECT_FALSE(read);
}

// A block that cannot be read ends a seek, and the seek behind it knows nothing of that.
TEST_F(DonePacks, InATableWithADamagedBlockAreAnErrorAndNotFewerJobs) {
  for (QueueNo queue = 0; queue < 3; ++queue)
    for (uint64_t ms = 1'000; ms < 4'000; ms += 1'000)
      for (int checkpoint = 0; checkpoint < 3; ++checkpoint) {
        add_many(100, ms, queue);
        write();
      }
  reopen();
  store.reset();
  const auto table_of = [this](const char* family) {
    return Look(directory.path()).database.table_of(family);
  };
  const std::string rows = table_of("done_packs");
  const std::string ids = table_of("index_packs");
  const auto all_or_error = [](const StoreResult<void>& read, size_t seen, size_t there) {
    return !read || seen == there;
  };
  size_t errors = 0;
  for (const std::string& table : {rows, ids}) {
    const std::string whole = read_file(table);
    for (size_t at = 100; at < whole.size(); at += whole.size() / 16) {
      flip_bit(table, at);
      const auto reader = Store::open({.directory = directory.path(), .read_only = true});
      if (!reader) {
        ++errors;
        write_file(table, whole);
        continue;
      }
      size_t seen = 0;
      const auto walked =
          (*reader)->for_each_done(std::nullopt, [&seen](const JobId&, ByteView) { return ++seen > 0; });
      EXPECT_TRUE(all_or_error(walked, seen, expected.size())) << table << ", byte " << at << ": " << seen;
      seen = 0;
      const auto indexed =
          (*reader)->for_each_indexed([&seen](const std::optional<DoneKey>&) { return ++seen > 0; });
      EXPECT_TRUE(all_or_error(indexed, seen, expected.size())) << table << ", byte " << at << ": " << seen;
      std::vector<JobId> listed;
      DoneCursor cursor(**reader, {.limit = 10'000});
      StoreResult<void> stepped;
      while (stepped && !cursor.finished()) {
        size_t rows_max = 1'000;
        stepped = cursor.step(10'000, rows_max, listed);
      }
      EXPECT_TRUE(all_or_error(stepped, listed.size(), expected.size()))
          << table << ", byte " << at << ": " << listed.size();
      for (const auto& [id, row] : expected) {
        const auto found = (*reader)->find_done(id);
        EXPECT_TRUE(!found || *found)
            << table << ", byte " << at << ": " << id.to_string() << " is not there";
      }
      if (!walked || !indexed || !stepped) ++errors;
      write_file(table, whole);
    }
  }
  EXPECT_GT(errors, 16u);
}

TEST_F(DonePacks, ComeIntoAStoreThatAnEarlierPqdWrote) {
  store.reset();
  {
    Look look(directory.path());
    for (const char* family : {"done_packs", "index_packs"}) look.database.drop(family);
  }
  const auto reader = Store::open({.directory = directory.path(), .read_only = true});
  ASSERT_TRUE(reader) << reader.error().text;
  EXPECT_EQ((*reader)->find_done(id_of(1'000, 1)).value(), std::nullopt);
  reopen();
  add_many(100, 1'000);
  write();
  expect_as_written();
}

class SalvagedDonePacks : public DamagedStore {
 protected:
  // Completed jobs, all in one pack.
  std::map<JobId, Bytes> add_packed(uint64_t ms, uint64_t count, JobNo no) {
    const auto store = open_store(path());
    const auto before = store->load_checkpoint().value();
    CheckpointBatch batch;
    batch.covered = before->covered;
    batch.tables = before->tables;
    std::map<JobId, Bytes> rows;
    for (uint64_t i = 1; i <= count; ++i) rows[id_of(ms, i)] = row_of(id_of(ms, i), JobState::kCompleted, no);
    batch.done_puts.assign(rows.begin(), rows.end());
    EXPECT_TRUE(store->checkpoint(batch));
    return rows;
  }
  static Bytes row_of(const JobId& id, JobState state, JobNo no) {
    JobRow row;
    row.core.id = id;
    row.core.no = no;
    row.core.state = state;
    return encode_row(row);
  }
  static std::string key_of(const JobId& id) { return std::string(as_text(keys::of(id))); }
  SalvageReport salvage() {
    const auto report = salvage_store(path(), elsewhere.path("salvaged"));
    EXPECT_TRUE(report) << report.error().text;
    for (const StoreFault& fault : report->after.faults) EXPECT_NE(fault.part, "index") << fault.text;
    return *report;
  }
  void expect_there(const std::map<JobId, Bytes>& rows) {
    const auto store = open_store(elsewhere.path("salvaged"));
    for (const auto& [id, row] : rows) EXPECT_EQ(store->find_done(id).value(), row) << id.to_string();
  }
  TempDir elsewhere;
};

TEST_F(SalvagedDonePacks, AreAllThereAndIndexed) {
  const uint64_t others = check_store(path()).finished_jobs;
  const auto rows = add_packed(1'000, 64, 1);
  const SalvageReport report = salvage();
  EXPECT_TRUE(report.lost.empty());
  EXPECT_EQ(report.after.finished_jobs, others + 64);
  expect_there(rows);
}

TEST_F(SalvagedDonePacks, AreNamedWhenTheyCannotBeRead) {
  add_packed(1'000, 64, 1);
  const auto rows = add_packed(2'000, 64, 1);
  {
    Database database(path());
    database.put("done_packs", database.first_key("done_packs"), "?");
  }
  EXPECT_EQ(salvage().lost,
            (std::vector<std::string>{"packed finished jobs from job " + id_of(1'000, 1).to_string() +
                                      " on: they cannot be read"}));
  expect_there(rows);
}

// What took the row of its earlier life away is lost.
TEST_F(SalvagedDonePacks, CountBeforeADeadLetterOfAnEarlierLife) {
  const auto rows = add_packed(1'000, 10, 2);
  const JobId again = id_of(1'000, 4);
  {
    Database database(path());
    database.put("done", key_of(again), std::string(as_text(row_of(again, JobState::kFailed, 1))));
  }
  salvage();
  expect_there(rows);
}

TEST_F(SalvagedDonePacks, AreMissedByACheckWhenTheyAreGone) {
  add_packed(1'000, 64, 1);
  {
    Database database(path());
    database.remove("done_packs", database.first_key("done_packs"));
  }
  const StoreReport report = check_store(path());
  ASSERT_EQ(report.faults.size(), 1u);
  EXPECT_EQ(report.faults.front().part, "index");
}

}  // namespace
}  // namespace pqd::test
