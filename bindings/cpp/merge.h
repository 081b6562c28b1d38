// One answer out of those of several partitions: what a daemon with one would have said. A single answer
// stays as it is. Pure; any thread.
#pragma once

#include <vector>

#include "core/info.h"
#include "core/job_event.h"
#include "core/metrics_info.h"
#include "core/schedule_info.h"

namespace pqd {

// Newest first, `limit` at most: pages go on behind the last id, as they do in each partition.
std::vector<JobInfo> merge_jobs(std::vector<std::vector<JobInfo>> lists, size_t limit);

// By name.
std::vector<QueueInfo> merge_queues(std::vector<std::vector<QueueInfo>> lists);
std::vector<ScheduleInfo> merge_schedules(std::vector<std::vector<ScheduleInfo>> lists);

// Sums; averages weighed by what they are of; the oldest age and the worst status of all. A client that takes
// jobs in two partitions counts as two workers. REQUIRES: at least one.
HealthInfo merge_health(std::vector<HealthInfo> all);

// Counts add up, percentiles are of all times together: REQUIRES that each has its row, unless there is one
// list only. First all, then queues, then types, `limit` of each, the busiest first. What is covered reaches
// from the earliest to the latest; a type that every partition left out for itself counts as often among
// those left out.
std::vector<MetricsInfo> merge_metrics(std::vector<std::vector<MetricsInfo>> lists, uint32_t limit);

// The latest `last`, oldest first; numbered anew.
std::vector<JobEvent> merge_events(std::vector<std::vector<JobEvent>> lists, size_t last);

}  // namespace pqd
