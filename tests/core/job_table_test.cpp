// Facts of jobs in the parts that memory keeps them in.
#include "core/job_table.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace pqd {
namespace {

// Every byte of it is something, and what is an enum or a bool stays one.
JobCore any_job(std::mt19937_64& random, JobNo no) {
  JobCore job;
  const auto any = [&random](auto& field) { field = static_cast<std::decay_t<decltype(field)>>(random()); };
  any(job.ready_seq), any(job.submitter), any(job.holder), any(job.lease), any(job.delivery_no);
  any(job.created_ns), any(job.start_after_ns), any(job.ready_ns), any(job.assigned_ns);
  any(job.lease_until_ns), any(job.finished_ns), any(job.lease_epoch), any(job.owner_uid);
  any(job.subscription), any(job.queue), any(job.type), any(job.queue_timeout_ms);
  any(job.processing_timeout_ms), any(job.backoff_first_ms), any(job.backoff_cap_ms);
  any(job.payload_bytes), any(job.attempts), any(job.max_attempts), any(job.failures), any(job.deaths);
  any(job.priority), any(job.progress), any(job.batch_place);
  job.id = JobId::make(1'000 + no, 7, 1, no);
  job.no = no;
  job.state = static_cast<JobState>(random() % kJobStateCount);
  job.pending = static_cast<Pending>(random() % 6);
  job.mode = static_cast<Mode>(random() % 3);
  job.delivery = static_cast<Delivery>(random() % 2);
  job.durability = static_cast<Durability>(random() % 3);
  job.reason = static_cast<Reason>(random() % kReasonCount);
  for (bool* flag :
       {&job.cancel_requested, &job.backoff_jitter, &job.redriven, &job.keyed, &job.reviewed, &job.purged})
    *flag = random() % 2 == 0;
  return job;
}

bool same(const JobCore& a, const JobCore& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

TEST(JobTableTest, KeepsEveryFactOfAJob) {
  std::mt19937_64 random(3);
  JobTable jobs;
  for (JobNo no = 1; no <= 500; ++no) {
    const JobCore core = any_job(random, no);
    const Slot slot = jobs.add(core, {});
    ASSERT_TRUE(same(jobs.core(slot), core));
    JobCore later = any_job(random, no);
    JobTerms::of(core).put_into(later);
    later.created_ns = core.created_ns;
    later.payload_bytes = core.payload_bytes;
    jobs.set(slot, later);
    ASSERT_TRUE(same(jobs.core(slot), later));
    ASSERT_EQ(jobs.token(slot), later.token());
    ASSERT_EQ(jobs.batch(slot), later.batch());
    ASSERT_EQ(jobs.terms(slot).rank(), later.rank());
  }
}

// One byte of each field alone makes a course, so that none is forgotten when it is looked for.
TEST(JobTableTest, JobThatOnlyWaitsHasNoCourse) {
  JobTable jobs;
  std::mt19937_64 random(4);
  JobCore waiting;
  waiting.no = 1;
  waiting.id = JobId::make(1'000, 7, 1, 1);
  EXPECT_EQ(jobs[jobs.add(waiting, {})].course, kNoCourse);
  JobCore other = any_job(random, 1);
  JobCourse of_other;
  of_other.take_from(other);
  JobCore full;
  of_other.put_into(full);
  const auto* bytes = reinterpret_cast<const unsigned char*>(&full);
  const JobCore plain;
  const auto* plain_bytes = reinterpret_cast<const unsigned char*>(&plain);
  for (size_t i = 0; i < sizeof(JobCore); ++i) {
    JobCore one;
    if (bytes[i] == plain_bytes[i]) continue;
    std::memcpy(reinterpret_cast<unsigned char*>(&one) + i, bytes + i, 1);
    EXPECT_FALSE(JobCourse::is_plain(one)) << "byte " << i;
  }
}

TEST(JobTableTest, JobThatComesIntoASlotHasNothingOfTheOneBefore) {
  std::mt19937_64 random(5);
  JobTable jobs;
  const Slot slot = jobs.add(any_job(random, 1), {});
  jobs.extra(slot).note = "halfway";
  jobs.remove(slot);
  JobCore next;
  next.no = 2;
  next.id = JobId::make(2'000, 7, 1, 2);
  ASSERT_EQ(jobs.add(next, {}), slot);
  EXPECT_EQ(jobs.extra_of(slot), nullptr);
  EXPECT_TRUE(same(jobs.core(slot), next));
}

TEST(TimesTableTest, JobsOfOneTurnShareTheirTimes) {
  TimesTable table;
  const auto at = [](TimeNs now, JobNo no, uint64_t ready_seq) {
    JobCore job;
    job.no = no;
    job.created_ns = job.ready_ns = now;
    job.ready_seq = ready_seq;
    return JobTimes::of(job);
  };
  const TimesNo first = table.add(at(1'000, 7, 5));
  EXPECT_EQ(table.add(at(1'000, 8, 6)), first);
  // One that is not ready, between them.
  const TimesNo later = table.add(at(1'000, 9, 0));
  EXPECT_NE(table.add(at(1'000, 10, 7)), first) << "its place does not follow as its number does";
  EXPECT_EQ(table[first].ready_seq(8), 6u);
  EXPECT_EQ(table[later].ready_seq(9), 0u);
}

TEST(TimesTableTest, TimesGoWithTheirLastJobAndTheLatestStay) {
  TimesTable table;
  JobTimes times;
  std::vector<TimesNo> all;
  for (TimeNs now = 1; now <= 10; ++now) {
    times.created_ns = now;
    all.push_back(table.add(times));
  }
  EXPECT_EQ(table.size(), 10u);
  times.created_ns = 10;
  table.change(all[0], times);
  EXPECT_EQ(table.size(), 9u);
  EXPECT_EQ(all[0], all[9]);
  for (const TimesNo at : all) table.remove(at);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(table.add(times), all[9]) << "what the next job most likely has";
}

TEST(TermsTableTest, JobsOnTheSameTermsShareThem) {
  TermsTable table;
  const JobTerms one{.submitter = 1};
  const JobTerms other{.submitter = 2};
  const TermsNo first = table.add(one);
  const TermsNo second = table.add(other);
  EXPECT_NE(first, second);
  EXPECT_EQ(table.add(one), first);
  EXPECT_EQ(table.add(other), second);
  EXPECT_EQ(table.size(), 2u);
  table.remove(first);
  EXPECT_EQ(table[first], one);
  table.remove(first);
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(table[table.add(one)], one);
}

TEST(TermsTableTest, MoreThanAreSharedStandByThemselves) {
  TermsTable table;
  std::vector<TermsNo> all;
  const auto terms = [](uint32_t i) { return JobTerms{.queue_timeout_ms = i}; };
  for (int twice = 0; twice < 2; ++twice)
    for (uint32_t i = 0; i < TermsTable::kSharedMax + 100; ++i) {
      all.push_back(table.add(terms(i)));
      ASSERT_EQ(table[all.back()], terms(i));
    }
  EXPECT_EQ(table.size(), TermsTable::kSharedMax + 200);
  for (const TermsNo at : all) table.remove(at);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.add(terms(7)), table.add(terms(7)));
}

}  // namespace
}  // namespace pqd
