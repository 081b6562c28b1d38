#include "bindings/cpp/merge.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace pqd {
namespace {

template <class Item>
std::vector<Item> joined(std::vector<std::vector<Item>> lists) {
  std::vector<Item> all = std::move(lists.front());
  for (auto list = std::next(lists.begin()); list != lists.end(); ++list)
    all.insert(all.end(), std::make_move_iterator(list->begin()), std::make_move_iterator(list->end()));
  return all;
}

template <class Item>
std::vector<Item> merge_by_name(std::vector<std::vector<Item>> lists) {
  const bool several = lists.size() > 1;
  auto all = joined(std::move(lists));
  if (several) std::ranges::stable_sort(all, {}, &Item::name);
  return all;
}

double weighed(double a, uint64_t weight_a, double b, uint64_t weight_b) {
  const uint64_t weight = weight_a + weight_b;
  if (weight == 0) return 0;
  return (a * static_cast<double>(weight_a) + b * static_cast<double>(weight_b)) /
         static_cast<double>(weight);
}

void add(HealthInfo& sum, HealthInfo&& other) {
  sum.average_wait_ms =
      weighed(sum.average_wait_ms, sum.waits_recent, other.average_wait_ms, other.waits_recent);
  sum.average_processing_ms = weighed(sum.average_processing_ms, sum.completed_recent,
                                      other.average_processing_ms, other.completed_recent);
  sum.healthy &= other.healthy;
  sum.status = std::max(sum.status, other.status);
  sum.now_ns = std::max(sum.now_ns, other.now_ns);
  sum.oldest_ready_age_ms = std::max(sum.oldest_ready_age_ms, other.oldest_ready_age_ms);
  for (const auto field : {&HealthInfo::queue_depth, &HealthInfo::active_workers, &HealthInfo::pending,
                           &HealthInfo::processing, &HealthInfo::completed_recent, &HealthInfo::failed_recent,
                           &HealthInfo::dlq_size, &HealthInfo::capacity, &HealthInfo::waits_recent})
    sum.*field += other.*field;
  for (std::string& reason : other.degraded_reasons)
    if (std::ranges::find(sum.degraded_reasons, reason) == sum.degraded_reasons.end())
      sum.degraded_reasons.push_back(std::move(reason));
}

void cover(MetricsInfo& info, const MetricsInfo& also) {
  info.resolution = std::max(info.resolution, also.resolution);
  info.from_ns = std::min(info.from_ns, also.from_ns);
  info.to_ns = std::max(info.to_ns, also.to_ns);
}

// With its row's figures in place of those that cannot be added up.
MetricsInfo summed(MetricsInfo info) {
  MetricsInfo sum = metrics_info(*info.row);
  sum.by = info.by;
  sum.resolution = info.resolution;
  sum.name = std::move(info.name);
  sum.from_ns = info.from_ns;
  sum.to_ns = info.to_ns;
  sum.left_out = info.left_out;
  return sum;
}

}  // namespace

std::vector<JobInfo> merge_jobs(std::vector<std::vector<JobInfo>> lists, size_t limit) {
  const bool several = lists.size() > 1;
  auto all = joined(std::move(lists));
  if (!several) return all;
  std::ranges::stable_sort(all, std::greater(), [](const JobInfo& job) { return job.core.id; });
  if (all.size() > limit) all.resize(limit);
  return all;
}

std::vector<QueueInfo> merge_queues(std::vector<std::vector<QueueInfo>> lists) {
  return merge_by_name(std::move(lists));
}
std::vector<ScheduleInfo> merge_schedules(std::vector<std::vector<ScheduleInfo>> lists) {
  return merge_by_name(std::move(lists));
}

HealthInfo merge_health(std::vector<HealthInfo> all) {
  HealthInfo sum = std::move(all.front());
  for (auto other = std::next(all.begin()); other != all.end(); ++other) add(sum, std::move(*other));
  return sum;
}

std::vector<MetricsInfo> merge_metrics(std::vector<std::vector<MetricsInfo>> lists, uint32_t limit) {
  if (lists.size() == 1) return std::move(lists.front());
  std::map<std::pair<MetricsBy, std::string>, MetricsInfo> sums;
  for (MetricsInfo& info : joined(std::move(lists))) {
    const auto [sum, is_new] = sums.try_emplace({info.by, info.name}, info);
    if (is_new) continue;
    sum->second.row->merge(*info.row);
    sum->second.left_out += info.left_out;
    cover(sum->second, info);
  }
  std::vector<MetricsInfo> merged;
  uint32_t left_out = 0;
  for (const MetricsBy by : {MetricsBy::kAll, MetricsBy::kQueue, MetricsBy::kType}) {
    std::vector<MetricsInfo*> order;
    for (auto& [key, sum] : sums)
      if (key.first == by) order.push_back(&sum);
    std::ranges::stable_sort(order, std::greater(),
                             [](const MetricsInfo* info) { return weight(*info->row); });
    const size_t shown = std::min<size_t>(order.size(), limit);
    left_out += static_cast<uint32_t>(order.size() - shown);
    for (size_t i = 0; i < shown; ++i) merged.push_back(summed(std::move(*order[i])));
  }
  merged.front().left_out += left_out;
  for (MetricsInfo& info : merged) cover(info, merged.front());
  return merged;
}

std::vector<JobEvent> merge_events(std::vector<std::vector<JobEvent>> lists, size_t last) {
  if (lists.size() == 1) return std::move(lists.front());
  auto all = joined(std::move(lists));
  std::ranges::stable_sort(all, {}, &JobEvent::when_ns);
  if (all.size() > last) all.erase(all.begin(), all.end() - static_cast<ptrdiff_t>(last));
  for (size_t i = 0; i < all.size(); ++i) all[i].number = i + 1;
  return all;
}

}  // namespace pqd
