// Schedules. What is wrong with one is found here as far as it can be, so that it is said in words: the
// daemon's refusal is a code.
#include "bindings/cpp/client_router.h"
#include "core/cron_spec.h"
#include "core/info.h"
#include "core/schedule_info.h"
#include "core/schedule_record.h"

namespace pqd {
namespace {

std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

// The daemon's refusal, with what it can only mean after the checks here.
Failure told(Failure failure, const ScheduleRequest& request) {
  if (failure.error == Error::kDuplicateRequest) {
    failure = ClientCore::schedule_exists(request.name);
  } else if (failure.error == Error::kPayloadTooLarge) {
    failure.text =
        "the jobs of all schedules together would be over 1 MiB; store payloads elsewhere and give their "
        "names";
  }
  return failure;
}

}  // namespace

Failure ClientCore::schedule_exists(std::string_view name) {
  return {Error::kDuplicateRequest,
          "there is a schedule " + std::string(name) + " already; replace it, or take another name", 0};
}

// About this partition.
Result<Answer> ClientCore::ask_here(QueryKind kind, std::string_view type) {
  QueryHead head;
  head.kind = kind;
  ClientCore* const self = this;
  auto answers = router_.ask(std::span(&self, 1), head, {}, type);
  if (!answers) return std::unexpected(std::move(answers.error()));
  return std::move(answers->front());
}

// The daemon calls it invalid and says no more: whose limit it has come to, or what it does not know, is
// asked for.
std::string ClientCore::fault_of_schedule(const ScheduleRequest& request) {
  const auto is_new = [](const Answer& among, auto decode, std::string_view name) {
    return std::ranges::none_of(among.parts, [&](const Bytes& part) {
      const auto info = decode(part);
      return info && info->name == name;
    });
  };
  const auto schedules = ask_here(QueryKind::kCron);
  if (schedules && schedules->parts.size() >= limits::kSchedulesMax &&
      is_new(*schedules, decode_schedule_info, request.name))
    return "there are 1024 schedules already, which is all it takes; remove one";
  const auto queues = ask_here(QueryKind::kQueues);
  if (queues && queues->parts.size() >= limits::kQueuesMax &&
      is_new(*queues, decode_queue_info, request.job.queue))
    return "its queue " + quoted(request.job.queue) +
           " would be new, and there are 4096 queues already, the most there can be; use one of those";
  // Figures of a type are there as soon as somebody has named it.
  const auto figures = ask_here(QueryKind::kMetrics, request.job.type);
  const bool type_is_new = figures && figures->error == Error::kNotFound;
  const std::string zone = "the daemon knows no time zone " + quoted(request.zone);
  const std::string type = "its type " + quoted(request.job.type) +
                           " would be new, and there are 65536 types already, the most there can be";
  if (request.zone == "UTC") return type;
  return type_is_new ? zone + "; or " + type : zone;
}

Result<void> ClientCore::cron_set(const ScheduleRequest& request) {
  if (auto usable = router_.check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  if (!valid_zone_name(request.zone))
    return fail_with(Error::kInvalidRequest, "the time zone is no name such as Europe/Berlin or UTC");
  if (const auto spec = parse_cron_spec(request.spec); !spec)
    return fail_with(Error::kInvalidRequest, "the schedule's time: " + spec.error());
  const SubmitView view = view_of(request.job);
  const SubmitFault fault = check_schedule_job(view, session_->welcome.max_payload_bytes);
  if (fault.error != Error::kOk) return std::unexpected(fault_failure(fault, view));
  Bytes job(submit_record_bytes(view));
  write_submit_record(view, job);
  auto done =
      command(write_cron_set({{}, request.replace, request.name, request.spec, request.zone, job}), {});
  if (done) return {};
  Failure failure = told(std::move(done.error()), request);
  if (failure.error == Error::kInvalidRequest) failure.text = fault_of_schedule(request);
  return std::unexpected(std::move(failure));
}

}  // namespace pqd
