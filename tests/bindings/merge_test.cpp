// One answer out of those of several partitions.
#include "bindings/cpp/merge.h"

#include <gtest/gtest.h>

namespace pqd {
namespace {

JobInfo job_at(uint64_t unix_ms, uint32_t tag = 64) {
  JobInfo job;
  job.core.id = JobId::make(unix_ms, tag, 0, 1);
  return job;
}

std::vector<uint64_t> times(const std::vector<JobInfo>& jobs) {
  std::vector<uint64_t> found;
  for (const JobInfo& job : jobs) found.push_back(job.core.id.unix_ms());
  return found;
}

TEST(Merge, OfJobsIsNewestFirstAndNoLongerThanAPage) {
  const auto page = merge_jobs({{job_at(9), job_at(5), job_at(1)}, {}, {job_at(8, 65), job_at(7, 65)}}, 4);
  EXPECT_EQ(times(page), (std::vector<uint64_t>{9, 8, 7, 5}));
}

TEST(Merge, OfJobsGoesOnBehindAPageWithoutALossOrARepetition) {
  const std::vector<std::vector<JobInfo>> all{{job_at(6), job_at(4), job_at(4, 63)},
                                              {job_at(5, 65), job_at(4, 65)}};
  std::vector<JobInfo> walked;
  JobId older_than{UINT64_MAX, UINT64_MAX};
  for (;;) {
    // Each partition's page, as it would answer it.
    std::vector<std::vector<JobInfo>> lists;
    for (const auto& partition : all) {
      auto& list = lists.emplace_back();
      for (const JobInfo& job : merge_jobs({partition, {}}, 5))
        if (job.core.id < older_than && list.size() < 2) list.push_back(job);
    }
    const auto page = merge_jobs(lists, 2);
    if (page.empty()) break;
    older_than = page.back().core.id;
    walked.insert(walked.end(), page.begin(), page.end());
  }
  EXPECT_EQ(times(walked), (std::vector<uint64_t>{6, 5, 4, 4, 4}));
}

TEST(Merge, OfQueuesAndSchedulesIsByName) {
  std::vector<std::vector<QueueInfo>> queues(2);
  queues[0].resize(2);
  queues[0][0].name = "default";
  queues[0][1].name = "b";
  queues[1].resize(1);
  queues[1][0].name = "c";
  const auto merged = merge_queues(queues);
  ASSERT_EQ(merged.size(), 3u);
  EXPECT_EQ(merged[0].name, "b");
  EXPECT_EQ(merged[1].name, "c");
  EXPECT_EQ(merged[2].name, "default");
  std::vector<std::vector<ScheduleInfo>> schedules(2);
  schedules[0].resize(1);
  schedules[0][0].name = "z";
  schedules[1].resize(1);
  schedules[1][0].name = "a";
  EXPECT_EQ(merge_schedules(schedules).front().name, "a");
}

TEST(Merge, OfHealthAddsUpWeighsAveragesAndTakesTheWorst) {
  HealthInfo a, b;
  a.queue_depth = 3;
  a.waits_recent = 3;
  a.average_wait_ms = 10;
  a.completed_recent = 1;
  a.average_processing_ms = 5;
  a.oldest_ready_age_ms = 7;
  a.degraded_reasons = {"the disk is full"};
  a.status = 1;
  a.healthy = false;
  a.now_ns = 5;
  b.queue_depth = 4;
  b.waits_recent = 1;
  b.average_wait_ms = 50;
  b.failed_recent = 2;
  b.oldest_ready_age_ms = 70;
  b.degraded_reasons = {"the disk is full", "queue b: old"};
  b.now_ns = 6;
  const HealthInfo sum = merge_health({a, b});
  EXPECT_EQ(sum.queue_depth, 7u);
  EXPECT_DOUBLE_EQ(sum.average_wait_ms, 20);
  EXPECT_DOUBLE_EQ(sum.average_processing_ms, 5);
  EXPECT_EQ(sum.completed_recent, 1u);
  EXPECT_EQ(sum.failed_recent, 2u);
  EXPECT_EQ(sum.oldest_ready_age_ms, 70);
  EXPECT_EQ(sum.status, 1);
  EXPECT_FALSE(sum.healthy);
  EXPECT_EQ(sum.now_ns, 6);
  EXPECT_EQ(sum.degraded_reasons, (std::vector<std::string>{"the disk is full", "queue b: old"}));
  EXPECT_DOUBLE_EQ(merge_health({HealthInfo(), HealthInfo()}).average_wait_ms, 0);
}

MetricsInfo figures(MetricsBy by, std::string name, uint64_t completed, std::vector<uint64_t> waits_ms) {
  MetricsRow row;
  row.counts.completed = completed;
  for (const uint64_t wait : waits_ms) row.wait.add(wait * kMillisecondNs);
  MetricsInfo info = metrics_info(row);
  info.row = row;
  info.by = by;
  info.name = std::move(name);
  info.from_ns = 60 * kSecondNs;
  info.to_ns = 120 * kSecondNs;
  return info;
}

TEST(Merge, OfFiguresHasThePercentilesOfAllTimesTogether) {
  using enum MetricsBy;
  auto first = std::vector{figures(kAll, "", 3, {1, 1, 1}), figures(kType, "mail", 3, {1, 1, 1})};
  auto second = std::vector{figures(kAll, "", 1, {1'000}), figures(kType, "mail", 1, {1'000})};
  second[0].to_ns = 130 * kSecondNs;
  const auto sums = merge_metrics({first, second}, 10);
  ASSERT_EQ(sums.size(), 2u);
  for (const MetricsInfo& sum : sums) {
    EXPECT_EQ(sum.counts.completed, 4u);
    EXPECT_EQ(sum.wait.count, 4u);
    EXPECT_NEAR(sum.wait.p50_ms, 1, 1.0 / 16);
    EXPECT_NEAR(sum.wait.p95_ms, 1'000, 1'000.0 / 16);
    EXPECT_NEAR(sum.wait.average_ms, 1'003.0 / 4, 0.01);
    EXPECT_EQ(sum.to_ns, 130 * kSecondNs) << "all cover the same time";
  }
}

TEST(Merge, OfFiguresShowsTheBusiestOfAllAndSaysHowManyItLeavesOut) {
  using enum MetricsBy;
  auto first = std::vector{figures(kAll, "", 9, {}), figures(kQueue, "a", 9, {}), figures(kType, "x", 5, {}),
                           figures(kType, "y", 4, {})};
  first[0].left_out = 2;
  const auto second = std::vector{figures(kAll, "", 9, {}), figures(kQueue, "b", 7, {}),
                                  figures(kType, "y", 4, {}), figures(kType, "z", 3, {})};
  const auto sums = merge_metrics({first, second}, 1);
  ASSERT_EQ(sums.size(), 3u);
  EXPECT_EQ(sums[0].counts.completed, 18u);
  EXPECT_EQ(sums[0].left_out, 2u + 1 + 2);
  EXPECT_EQ(sums[1].by, kQueue);
  EXPECT_EQ(sums[1].name, "a");
  EXPECT_EQ(sums[2].by, kType);
  EXPECT_EQ(sums[2].name, "y") << "the busiest of all together";
}

JobEvent event_at(TimeNs when, uint64_t number) {
  JobEvent event;
  event.when_ns = when;
  event.number = number;
  return event;
}

TEST(Merge, OfEventsIsTheLatestOfAllInTheirOrderAndNumberedAnew) {
  const auto events = merge_events({{event_at(1, 1), event_at(4, 2)}, {event_at(2, 1), event_at(3, 2)}}, 3);
  ASSERT_EQ(events.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(events[i].when_ns, static_cast<TimeNs>(i) + 2);
    EXPECT_EQ(events[i].number, i + 1);
  }
}

TEST(Merge, LeavesAnAnswerOfOnePartitionAsItIs) {
  EXPECT_EQ(times(merge_jobs({{job_at(1), job_at(2)}}, 1)), (std::vector<uint64_t>{1, 2}));
  MetricsInfo info;
  info.counts.completed = 5;
  EXPECT_EQ(merge_metrics({{info}}, 10).front().counts.completed, 5u) << "without its row";
  EXPECT_EQ(merge_events({{event_at(9, 7)}}, 0).front().number, 7u);
}

}  // namespace
}  // namespace pqd
