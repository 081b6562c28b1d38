// Schedules. What is wrong with one is found here as far as it can be, so that it is said in words: the
// daemon's refusal is a code.
#include "bindings/cpp/client.h"
#include "bindings/cpp/client_core.h"
#include "core/cron_spec.h"
#include "core/schedule_record.h"

namespace pqd {
namespace {

constexpr std::string_view kNameForms = "a schedule's name must be 1 to 64 of A-Z a-z 0-9 . _ : -";

// The daemon's refusal, with what it can only mean after the checks here.
Failure told(Failure failure, const ScheduleRequest& request) {
  if (failure.error == Error::kInvalidRequest) {
    failure.text = "the daemon knows no time zone \"" + std::string(request.zone) +
                   "\", or has 1024 schedules, which is all it takes";
  } else if (failure.error == Error::kDuplicateRequest) {
    failure.text =
        "there is a schedule " + std::string(request.name) + " already; replace it, or take another name";
  } else if (failure.error == Error::kPayloadTooLarge) {
    failure.text =
        "the jobs of all schedules together would be over 1 MiB; store payloads elsewhere and give their "
        "names";
  }
  return failure;
}

}  // namespace

Result<void> ClientCore::cron_set(const ScheduleRequest& request) {
  if (auto usable = check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  if (!valid_name(request.name)) return fail_with(Error::kInvalidRequest, std::string(kNameForms));
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

Result<void> Client::cron_set(const ScheduleRequest& request) { return core_->cron_set(request); }

Result<void> Client::cron_remove(std::string_view name) {
  if (!valid_name(name)) return fail_with(Error::kInvalidRequest, std::string(kNameForms));
  return core_->command(write_cron_remove(name), {});
}

Result<std::vector<ScheduleInfo>> Client::cron_list(std::string_view name) {
  QueryHead head;
  head.kind = QueryKind::kCron;
  const auto answer = core_->ask(head, name, {});
  if (!answer) return std::unexpected(answer.error());
  std::vector<ScheduleInfo> list;
  for (const Bytes& part : answer->parts) {
    auto info = decode_schedule_info(part);
    if (!info) return fail_with(info.error(), "the daemon's answer cannot be read");
    list.push_back(std::move(*info));
  }
  return list;
}

}  // namespace pqd
