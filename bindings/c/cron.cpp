// Schedules.
#include "bindings/c/handles.h"

namespace {

using namespace pqd;
using namespace pqd::c_abi;

int64_t ms_of(TimeNs ns) { return ns / kMillisecondNs; }

pqd_cron_info info_of(const ScheduleInfo& schedule) {
  pqd_cron_info info{};
  info.size = sizeof info;
  info.name = schedule.name.c_str();
  info.spec = schedule.spec.c_str();
  info.zone = schedule.zone.c_str();
  info.queue = schedule.queue.c_str();
  info.type = schedule.type.c_str();
  info.set_ms = ms_of(schedule.set_ns);
  info.next_ms = ms_of(schedule.next_ns);
  info.last_ms = ms_of(schedule.last_ns);
  info.last_id = id_of(schedule.last_id);
  info.last_status = status_of(static_cast<Error>(schedule.last_code));
  info.owner_uid = schedule.owner_uid;
  info.payload_bytes = schedule.payload_bytes;
  info.waiting = schedule.waiting ? 1 : 0;
  return info;
}

}  // namespace

extern "C" {

pqd_status pqd_cron_set(pqd_client* client, const pqd_cron_options* options, const pqd_submit_options* job) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (options == nullptr || job == nullptr) return misused("there are no options, or there is no job");
    const auto from = read_sized(*options, PQD_CRON_OPTIONS_INIT);
    const bool clean = from && from->replace <= 1 &&
                       std::ranges::all_of(from->reserved, [](uint8_t byte) { return byte == 0; });
    if (!clean) return misused("the options' size is not set, or a field is out of its range");
    const auto request = submit_request_of(*job);
    if (!request) return misused("the job's size is not set, or a reserved field is not zero");
    if (is_hollow(job->payload, request->payload.size()))
      return misused("the payload has bytes and no place");
    return c.cron_set(
        {view_of(from->name), view_of(from->spec), view_of(from->zone, "UTC"), *request, from->replace != 0});
  });
}

pqd_status pqd_cron_remove(pqd_client* client, const char* name) {
  return guarded(client, [&](Client& c) -> Result<void> { return c.cron_remove(view_of(name)); });
}

pqd_status pqd_cron_list(pqd_client* client, const char* name, pqd_cron_callback callback, void* user) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (callback == nullptr) return misused("there is no callback");
    const auto schedules = c.cron_list(view_of(name));
    if (!schedules) return std::unexpected(schedules.error());
    for (const ScheduleInfo& schedule : *schedules) {
      const pqd_cron_info info = info_of(schedule);
      if (callback(&info, user) != 0) break;
    }
    return {};
  });
}

}  // extern "C"
