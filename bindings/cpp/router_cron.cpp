// Schedules stand in the partition of their queue, and their names are everybody's.
#include "bindings/cpp/client_router.h"
#include "core/schedule_record.h"

namespace pqd {
namespace {

Failure bad_name() {
  return {Error::kInvalidRequest, "a schedule's name must be 1 to 64 of A-Z a-z 0-9 . _ : -", 0};
}

}  // namespace

// Two that set one name for queues of different partitions at the same moment may both succeed: each
// partition only knows its own.
Result<void> ClientRouter::cron_set(const ScheduleRequest& request) {
  if (!valid_name(request.name)) return std::unexpected(bad_name());
  const auto core = core_of_queue(request.job.queue, answer_timeout());
  if (!core) return std::unexpected(core.error());
  if (partitions_ == 1) return (*core)->cron_set(request);
  const auto all = all_cores(answer_timeout());
  if (!all) return std::unexpected(all.error());
  QueryHead head;
  head.kind = QueryKind::kCron;
  std::vector<ClientCore*> others = *all;
  std::erase(others, *core);
  const auto answers = ask(others, head, request.name, {});
  if (!answers) return std::unexpected(answers.error());
  std::vector<ClientCore*> earlier;
  for (size_t i = 0; i < others.size(); ++i)
    if ((*answers)[i].error == Error::kOk) earlier.push_back(others[i]);
  if (!earlier.empty() && !request.replace) return std::unexpected(ClientCore::schedule_exists(request.name));
  if (auto set = (*core)->cron_set(request); !set) return set;
  for (ClientCore* const other : earlier) {
    const auto removed = other->command(write_cron_remove(request.name), {});
    if (!removed && removed.error().error != Error::kNotFound) return removed;
  }
  return {};
}

Result<void> ClientRouter::cron_remove(std::string_view name) {
  if (!valid_name(name)) return std::unexpected(bad_name());
  const auto all = all_cores(answer_timeout());
  if (!all) return std::unexpected(all.error());
  Result<void> outcome;
  bool removed = false;
  for (ClientCore* const core : *all) {
    auto one = core->command(write_cron_remove(name), {});
    removed |= one.has_value();
    if (!one && (outcome || outcome.error().error == Error::kNotFound)) outcome = std::move(one);
  }
  if (removed && !outcome && outcome.error().error == Error::kNotFound) return {};
  return outcome;
}

}  // namespace pqd
