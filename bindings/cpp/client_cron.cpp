// Schedules. What is wrong with one is found here as far as it can be, so that it is said in words: the
// daemon's refusal is a code.
#include "bindings/cpp/client_router.h"
#include "core/cron_spec.h"
#include "core/schedule_record.h"

namespace pqd {
namespace {

// The daemon's refusal, with what it can only mean after the checks here.
Failure told(Failure failure, const ScheduleRequest& request) {
  if (failure.error == Error::kInvalidRequest) {
    failure.text = "the daemon knows no time zone \"" + std::string(request.zone) +
                   "\", or has 1024 schedules, which is all it takes";
  } else if (failure.error == Error::kDuplicateRequest) {
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
  if (!done) return std::unexpected(told(std::move(done.error()), request));
  return {};
}

}  // namespace pqd
