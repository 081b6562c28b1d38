// The client's questions: asked where the answer is, and put together when that is in several places.
#include <algorithm>

#include "bindings/cpp/client.h"
#include "bindings/cpp/client_router.h"
#include "bindings/cpp/merge.h"

namespace pqd {
namespace {

// Pages of dead letters in the order of their lives go on partition by partition: lives are numbered in each.
constexpr unsigned kPartitionShift = 56;
constexpr JobNo kLifeMask = (JobNo{1} << kPartitionShift) - 1;

template <class Info, class Decode>
Result<std::vector<Info>> decode_all(const Answer& answer, Decode decode) {
  std::vector<Info> infos;
  infos.reserve(answer.parts.size());
  for (const Bytes& part : answer.parts) {
    auto info = decode(part);
    if (!info) return fail_with(info.error(), "the daemon's answer could not be read");
    infos.push_back(std::move(*info));
  }
  return infos;
}

template <class Info, class Decode>
Result<std::vector<std::vector<Info>>> decode_lists(const Result<std::vector<Answer>>& answers,
                                                    Decode decode) {
  if (!answers) return std::unexpected(answers.error());
  std::vector<std::vector<Info>> lists;
  for (const Answer& answer : *answers) {
    auto list = decode_all<Info>(answer, decode);
    if (!list) return std::unexpected(std::move(list.error()));
    lists.push_back(std::move(*list));
  }
  return lists;
}

template <class Info, class Decode>
Result<Info> decode_one(const Result<Answer>& answer, Decode decode) {
  if (!answer) return std::unexpected(answer.error());
  auto infos = decode_all<Info>(*answer, decode);
  if (!infos) return std::unexpected(std::move(infos.error()));
  if (infos->empty()) return std::unexpected(failure_of(Error::kNotFound));
  return std::move(infos->front());
}

bool have_rows(const std::vector<std::vector<MetricsInfo>>& lists) {
  return std::ranges::all_of(lists, [](const auto& list) {
    return std::ranges::all_of(list, [](const MetricsInfo& info) { return info.row.has_value(); });
  });
}

QueryHead query_of(QueryKind kind, const ListFilter& filter) {
  QueryHead head;
  head.kind = kind;
  head.id = filter.older_than;
  head.since_ms = filter.since_ms;
  head.until_ms = filter.until_ms;
  head.limit = filter.limit;
  head.owner_uid = filter.owner_uid.value_or(head.owner_uid);
  head.states = filter.states;
  return head;
}

QueryHead query_of(QueryKind kind, const JobId& id = {}) {
  QueryHead head;
  head.kind = kind;
  head.id = id;
  return head;
}

}  // namespace

Result<JobInfo> Client::get(const JobId& id) {
  return decode_one<JobInfo>(router_->ask_for_job(query_of(QueryKind::kJob, id)), decode_job_info);
}
Result<JobInfo> Client::dlq_get(const JobId& id) {
  return decode_one<JobInfo>(router_->ask_for_job(query_of(QueryKind::kDlqJob, id)), decode_job_info);
}
Result<Explanation> Client::explain(const JobId& id) {
  return decode_one<Explanation>(router_->ask_for_job(query_of(QueryKind::kExplain, id)), decode_explanation);
}

Result<std::vector<JobInfo>> Client::list(const ListFilter& filter) {
  auto lists = decode_lists<JobInfo>(
      router_->ask_about(query_of(QueryKind::kJobs, filter), filter.queue, filter.type), decode_job_info);
  if (!lists) return std::unexpected(std::move(lists.error()));
  return merge_jobs(std::move(*lists), filter.limit);
}

Result<std::vector<JobInfo>> Client::dlq(const ListFilter& filter) {
  if (filter.newer_than) return dlq_by_life(filter);
  auto lists = decode_lists<JobInfo>(
      router_->ask_about(query_of(QueryKind::kDlq, filter), filter.queue, filter.type), decode_job_info);
  if (!lists) return std::unexpected(std::move(lists.error()));
  return merge_jobs(std::move(*lists), filter.limit);
}

Result<std::vector<JobInfo>> Client::dlq_by_life(const ListFilter& filter) {
  QueryHead head = query_of(QueryKind::kDlq, filter);
  head.oldest_first = 1;
  head.id = JobId{0, *filter.newer_than & kLifeMask};
  std::vector<JobInfo> page;
  const bool one = !filter.queue.empty() || router_->partitions() == 1;
  const uint32_t first = one ? 0 : static_cast<uint32_t>(*filter.newer_than >> kPartitionShift);
  const uint32_t behind = one ? 1 : router_->partitions();
  for (uint32_t partition = first; partition < behind; ++partition, head.id = {}) {
    head.limit = filter.limit - static_cast<uint32_t>(page.size());
    const auto answer = one ? router_->ask_for_queue(head, filter.queue, filter.type)
                            : router_->ask_in(static_cast<PartitionNo>(partition), head, filter.type);
    if (!answer) return std::unexpected(answer.error());
    auto more = decode_all<JobInfo>(*answer, decode_job_info);
    if (!more) return more;
    for (JobInfo& job : *more) {
      if (!one) job.core.no |= JobNo{partition} << kPartitionShift;
      page.push_back(std::move(job));
    }
    if (page.size() >= filter.limit) break;
  }
  return page;
}

Result<std::vector<QueueInfo>> Client::queues(std::string_view name) {
  auto lists =
      decode_lists<QueueInfo>(router_->ask_about(query_of(QueryKind::kQueues), name, {}), decode_queue_info);
  if (!lists) return std::unexpected(std::move(lists.error()));
  return merge_queues(std::move(*lists));
}

Result<HealthInfo> Client::health() {
  auto lists =
      decode_lists<HealthInfo>(router_->ask_about(query_of(QueryKind::kHealth), {}, {}), decode_health_info);
  if (!lists) return std::unexpected(std::move(lists.error()));
  std::vector<HealthInfo> all;
  for (auto& list : *lists)
    for (HealthInfo& health : list) all.push_back(std::move(health));
  if (all.empty()) return std::unexpected(failure_of(Error::kNotFound));
  return merge_health(std::move(all));
}

Result<std::vector<MetricsInfo>> Client::metrics(const MetricsQuery& query) {
  QueryHead head = query_of(QueryKind::kMetrics);
  head.since_ms = query.since_ms;
  head.until_ms = query.until_ms;
  head.limit = query.limit;
  if (query.by_queue) head.metrics_by |= kMetricsByQueue;
  if (query.by_type) head.metrics_by |= kMetricsByType;
  const bool several = query.queue.empty() && router_->partitions() > 1;
  if (several && query.limit > 0 && query.limit <= limits::kListPageMax) {
    // Which types are the busiest shows when all are added up.
    head.metrics_by |= kMetricsRows;
    head.limit = limits::kListPageMax;
  }
  auto lists =
      decode_lists<MetricsInfo>(router_->ask_about(head, query.queue, query.type), decode_metrics_info);
  if (!lists) return std::unexpected(std::move(lists.error()));
  std::erase_if(*lists, [](const auto& list) { return list.empty(); });
  if (lists->empty()) return std::unexpected(failure_of(Error::kNotFound));
  if (several && !have_rows(*lists))
    return fail_with(Error::kSystemError, "the daemon's answer could not be read");
  return merge_metrics(std::move(*lists), query.limit);
}

Result<std::string> Client::copy_store() {
  const auto answer = router_->ask_in(0, query_of(QueryKind::kCopy), {});
  if (!answer) return std::unexpected(answer.error());
  if (answer->parts.size() != 1)
    return fail_with(Error::kSystemError, "the daemon's answer could not be read");
  return std::string(as_text(answer->parts.front()));
}

Result<std::vector<ScheduleInfo>> Client::cron_list(std::string_view name) {
  auto lists = decode_lists<ScheduleInfo>(router_->ask_everywhere(query_of(QueryKind::kCron), name, {}),
                                          decode_schedule_info);
  if (!lists) return std::unexpected(std::move(lists.error()));
  return merge_schedules(std::move(*lists));
}

}  // namespace pqd
