#include "tests/daemon/store/expectations.h"

#include "daemon/store/recovery.h"
#include "tests/support/metrics_recount.h"

namespace pqd::test {
namespace {

void expect_same(const Bytes& found, const Bytes& wanted) {
  EXPECT_TRUE(found == wanted) << "found  " << describe(found) << "\nwanted " << describe(wanted);
}

}  // namespace

Commit commit_to(Store& store, Workload& work) {
  Commit commit = work.commit();
  if (auto done = store.append(commit.number, *commit.entry, *commit.block_bytes, commit.cuts); !done)
    ADD_FAILURE() << done.error().text;
  return commit;
}

void expect_recovered(const Store& store, const std::string& directory, const Workload& work) {
  State state;
  const auto witness = Witness::open(directory);
  ASSERT_TRUE(witness) << witness.error().text;
  uint64_t replayed = 0;
  const auto recovered = recover(store, *witness, state, [&](uint64_t, ByteView, ByteView) {
    ++replayed;
    return true;
  });
  ASSERT_TRUE(recovered) << recovered.error().text;
  EXPECT_EQ(recovered->last_commit, work.last_number());
  EXPECT_EQ(recovered->last_hash, work.last_hash());
  EXPECT_EQ(recovered->commits_replayed, replayed);
  EXPECT_EQ(recovered->covered + replayed, recovered->last_commit);
  const auto before = picture_of(work.state());
  const auto after = picture_of(state);
  EXPECT_TRUE(after.tables == before.tables);
  ASSERT_EQ(after.live.size(), before.live.size());
  for (const auto& [job, row] : before.live) expect_same(after.live.at(job), row);
}

// Every finished job up to the checkpoint has the row it must have, and the dead letters are all there.
void expect_rows(const Store& store, const Workload& work) {
  for (const auto& [id, row] : work.finished()) {
    const auto found = store.find_done(id).value();
    ASSERT_TRUE(found) << id.to_string();
    expect_same(*found, row);
  }
  uint64_t rows = 0;
  ASSERT_TRUE(store.for_each_done(std::nullopt, [&rows](const JobId&, ByteView) { return ++rows > 0; }));
  EXPECT_EQ(rows, work.finished().size());
  std::map<JobNo, JobId> letters;
  ASSERT_TRUE(store.for_each_dead_letter([&letters](JobNo job, const JobId& id) {
    letters[job] = id;
    return true;
  }));
  EXPECT_EQ(letters, work.dead_letters());
  for (const auto& [key, kept] : work.keys()) EXPECT_EQ(store.find_key(key).value(), kept);
  std::map<JobNo, Bytes> live;
  ASSERT_TRUE(store.for_each_live([&live](JobNo job, ByteView row) {
    live[job].assign(row.begin(), row.end());
    return true;
  }));
  EXPECT_TRUE(live == picture_of(work.state()).live);
}

std::map<MetricsKey, MetricsRow> figures_in(const Store& store) {
  std::map<MetricsKey, MetricsRow> rows;
  const auto read = store.for_each_metrics({}, [&rows](const MetricsKey& key, ByteView bytes) {
    rows[key] = decode_metrics_row(bytes).value();
    return true;
  });
  EXPECT_TRUE(read) << (read ? "" : read.error().text);
  return rows;
}

void expect_figures(const Store& store) {
  MetricsRecount recount;
  ASSERT_TRUE(store.for_each_commit(1, [&recount](uint64_t, ByteView entry, ByteView) {
    recount.add(entry);
    return true;
  }));
  EXPECT_FALSE(recount.rows().empty());
  EXPECT_TRUE(figures_in(store) == recount.rows());
}

}  // namespace pqd::test
