// The live index against a look at every job, and how many rows a look sees.
#include "core/live_index.h"

#include <gtest/gtest.h>

#include <random>

#include "core/job_filter.h"
#include "core/job_table.h"

namespace pqd {
namespace {

struct LiveIndexTest : ::testing::Test {
  JobTable jobs;
  JobNo last = 0;

  Slot add(uint64_t ms, QueueNo queue = 0, TypeNo type = 0, uint32_t owner_uid = 1000,
           JobState state = JobState::kPending) {
    JobCore core;
    core.no = ++last;
    core.id = JobId::make(ms, 7, 1, last);
    core.queue = queue;
    core.type = type;
    core.owner_uid = owner_uid;
    core.state = state;
    return jobs.add(core, {});
  }

  struct Looked {
    std::vector<JobId> ids;
    size_t rows = 0;
    size_t looks = 0;
  };
  // All pages of it, `rows_max` rows a look.
  Looked look(const JobFilter& filter, size_t rows_max = 500) {
    Looked looked;
    JobId below = filter.below();
    for (bool done = false; !done;) {
      size_t rows = rows_max;
      done = jobs.index().look(jobs, filter.live_summary(), below, rows, [&](Slot slot) {
        const JobCore core = jobs.core(slot);
        if (filter.ends_before(core.id)) return false;
        if (filter.matches(core)) looked.ids.push_back(core.id);
        return looked.ids.size() < filter.limit;
      });
      looked.rows += rows_max - rows;
      ++looked.looks;
      EXPECT_LE(looked.looks, 10'000u);
    }
    return looked;
  }
  std::vector<JobId> naively(const JobFilter& filter) {
    std::vector<JobId> ids;
    jobs.for_each([&](Slot slot) {
      if (filter.matches(jobs.core(slot))) ids.push_back(jobs[slot].id);
    });
    std::ranges::sort(ids, std::greater());
    if (ids.size() > filter.limit) ids.resize(filter.limit);
    return ids;
  }
};

TEST_F(LiveIndexTest, FindsWhatALookAtEveryJobFindsWhateverComesAndGoes) {
  std::mt19937 random(42);
  const auto below = [&random](uint32_t bound) { return static_cast<uint32_t>(random() % bound); };
  std::vector<Slot> slots;
  for (int round = 0; round < 40; ++round) {
    // Some rounds bring ids in order, some out of it; some leave much behind, some little.
    for (int i = 0; i < 400; ++i) {
      const uint64_t ms = round % 2 == 0 ? 100'000 + static_cast<uint64_t>(round) : 1 + below(200'000);
      slots.push_back(add(ms, below(5), below(90), 1000 + below(3)));
    }
    for (size_t gone = slots.size() * (1 + below(9)) / 10; gone > 0; --gone) {
      std::swap(slots[below(static_cast<uint32_t>(slots.size()))], slots.back());
      jobs.remove(slots.back());
      slots.pop_back();
    }
    for (const Slot slot : slots) {
      if (below(4) != 0) continue;
      jobs[slot].state = static_cast<JobState>(below(kJobStateCount));
      jobs.state_changed(slot);
    }
    ASSERT_EQ(jobs.index().find_fault(jobs), nullptr);
    for (const Slot slot : slots) ASSERT_EQ(jobs.find(jobs[slot].id), slot);
    JobFilter filter;
    if (below(2) == 0) filter.queue = below(5);
    if (below(2) == 0) filter.type = below(90);
    if (below(3) == 0) filter.owner_uid = 1000 + below(3);
    if (below(2) == 0) filter.states = static_cast<uint8_t>(below(128));
    if (below(3) == 0) filter.since_ms = below(100'000);
    if (below(3) == 0) filter.until_ms = 1 + below(200'000);
    filter.limit = 1 + below(100);
    EXPECT_EQ(look(filter, 1 + below(300)).ids, naively(filter)) << "round " << round;
    EXPECT_EQ(look({.limit = 10'000}).ids, naively({.limit = 10'000}));
  }
}

TEST_F(LiveIndexTest, FindsAJobByItsIdUntilItIsGone) {
  EXPECT_EQ(jobs.find(JobId::make(1, 7, 1, 1)), kNoSlot);
  for (uint64_t i = 0; i < 1'000; ++i) add(1'000 + 2 * i);
  const Slot gone = jobs.find(JobNo{500});
  const JobId id = jobs[gone].id;
  jobs.remove(gone);
  EXPECT_EQ(jobs.find(id), kNoSlot);
  for (const JobId none : {JobId::make(1, 7, 1, 1), JobId::make(1'001, 7, 1, 5), JobId::make(9'999, 7, 1, 1)})
    EXPECT_EQ(jobs.find(none), kNoSlot);
}

TEST_F(LiveIndexTest, TwoJobsOfOneIdAreAMistake) {
  add(1'000);
  add(2'000);
  JobCore twin;
  twin.no = 3;
  for (const JobNo first : {JobNo{1}, JobNo{2}}) {
    twin.id = jobs[jobs.find(first)].id;
    EXPECT_DEATH(jobs.add(twin, {}), "");
  }
}

TEST_F(LiveIndexTest, SelectiveFilterLooksAtAFewRowsOfAHundredThousand) {
  for (uint64_t i = 0; i < 100'000; ++i) {
    const bool rare = i % 20'000 == 7;
    add(1'000 + i / 10, rare ? 40 : 1, rare ? 41 : 2, rare ? 42 : 1000);
  }
  for (const JobFilter& filter : {JobFilter{.queue = 40}, JobFilter{.type = 41}, JobFilter{.owner_uid = 42},
                                  JobFilter{.queue = 40, .type = 41}}) {
    const Looked looked = look(filter);
    EXPECT_EQ(looked.ids.size(), 5u);
    // One for each chunk, and the five chunks that hold one.
    EXPECT_LE(looked.rows, 100'000 / LiveIndex::kChunkJobs + 1 + 5 * LiveIndex::kChunkJobs);
  }
}

TEST_F(LiveIndexTest, PageOfACommonFilterLooksAtLittleMoreThanThePage) {
  for (uint64_t i = 0; i < 100'000; ++i) add(1'000 + i / 10, i % 2, 0);
  EXPECT_LE(look({.queue = 1, .limit = 50}).rows, 100u);
  EXPECT_LE(look({.limit = 50}).rows, 50u);
  const Looked span = look({.since_ms = 4'000, .until_ms = 4'010, .limit = 1'000});
  EXPECT_EQ(span.ids.size(), 100u);
  EXPECT_LE(span.rows, 102u);
}

TEST_F(LiveIndexTest, NoLookSeesMoreRowsThanItMay) {
  // A pair that no job is, though each chunk has both of its halves.
  for (uint64_t i = 0; i < 10'000; ++i) add(1'000 + i, i % 2, i % 2);
  const Looked looked = look({.queue = 0, .type = 1}, 64);
  EXPECT_TRUE(looked.ids.empty());
  EXPECT_EQ(looked.looks, 10'000 / 64 + 1);
}

TEST_F(LiveIndexTest, AStateThatEveryJobHasLeftIsLookedForOnce) {
  std::vector<Slot> slots;
  for (uint64_t i = 0; i < 10'000; ++i) slots.push_back(add(1'000 + i, 0, 0, 1000, JobState::kPending));
  for (const Slot slot : slots) {
    jobs[slot].state = JobState::kCompleted;
    jobs.state_changed(slot);
  }
  const JobFilter pending{.states = 1 << static_cast<int>(JobState::kPending)};
  EXPECT_EQ(look(pending).rows, 10'000u);
  EXPECT_LE(look(pending).rows, 10'000 / LiveIndex::kChunkJobs + 1);
}

TEST_F(LiveIndexTest, HoldsNoMoreChunksThanTheJobsNeed) {
  std::vector<Slot> slots;
  for (uint64_t i = 0; i < 100'000; ++i) slots.push_back(add(1'000 + i));
  std::mt19937 random(7);
  std::ranges::shuffle(slots, random);
  while (slots.size() > 1'000) {
    jobs.remove(slots.back());
    slots.pop_back();
  }
  EXPECT_LE(jobs.index().chunk_count(), 1'000 / (LiveIndex::kChunkJobs / 8));
  EXPECT_EQ(jobs.index().find_fault(jobs), nullptr);
}

}  // namespace
}  // namespace pqd
