#include "core/schedules.h"

#include "core/cron_spec.h"
#include "core/limits.h"
#include "core/schedule_record.h"
#include "core/short_hash.h"

namespace pqd {
namespace {

// 42 bits, which is what an id has room for.
uint64_t name_bits(std::string_view name) {
  const ShortHash hash = short_hash(as_bytes(name));
  uint64_t bits = 0;
  for (size_t i = 0; i < 6; ++i) bits = bits << 8 | hash[i];
  return bits >> 6;
}

}  // namespace

JobId run_id(std::string_view name, TimeNs due_ns, uint32_t tag) {
  const uint64_t bits = name_bits(name);
  return JobId::make(static_cast<uint64_t>(due_ns / kMillisecondNs), tag, static_cast<uint8_t>(bits >> 40),
                     bits & JobId::kCounterMax);
}

const Schedule* Schedules::find(std::string_view name) const {
  const auto found = all_.find(name);
  return found == all_.end() ? nullptr : &found->second;
}

const Schedule* Schedules::find_namesake(std::string_view name) const {
  const uint64_t bits = name_bits(name);
  for (const auto& [other, schedule] : all_) {
    if (other != name && name_bits(other) == bits) return &schedule;
  }
  return nullptr;
}

std::vector<std::string> Schedules::due(TimeNs now) const {
  std::vector<std::string> names;
  for (const auto& [due_ns, name] : by_due_) {
    if (due_ns > now) break;
    names.push_back(name);
  }
  return names;
}

std::optional<TimeNs> Schedules::next_due_ns(TimeNs now) const {
  const auto next = by_due_.lower_bound({now + 1, {}});
  if (next == by_due_.end()) return std::nullopt;
  return next->first;
}

void Schedules::add(Schedule&& schedule) {
  record_bytes_ += schedule.record.size();
  if (schedule.due_ns != 0) by_due_.emplace(schedule.due_ns, schedule.name);
  std::string name = schedule.name;
  all_.insert_or_assign(std::move(name), std::move(schedule));
}

void Schedules::remove(std::string_view name) {
  const auto found = all_.find(name);
  if (found == all_.end()) return;
  record_bytes_ -= found->second.record.size();
  by_due_.erase({found->second.due_ns, found->first});
  all_.erase(found);
}

void Schedules::apply(const CronSet& e, ByteView record, TimeNs now) {
  const Schedule* earlier = find(e.name);
  Schedule schedule;
  schedule.last_ns = earlier == nullptr ? 0 : earlier->last_ns;
  schedule.last_code = earlier == nullptr ? uint8_t{0} : earlier->last_code;
  remove(e.name);
  schedule.name = e.name;
  schedule.spec = e.spec;
  schedule.zone = e.zone;
  schedule.record.assign(record.begin(), record.end());
  schedule.queue = e.queue;
  schedule.type = e.type;
  schedule.owner_uid = e.owner_uid;
  schedule.set_ns = now;
  schedule.due_ns = e.due_ns;
  add(std::move(schedule));
}

void Schedules::apply(const CronRemoved& e) { remove(e.name); }

void Schedules::apply(const CronFired& e) {
  const auto found = all_.find(e.name);
  if (found == all_.end()) return;
  Schedule& schedule = found->second;
  by_due_.erase({schedule.due_ns, e.name});
  schedule.last_ns = e.due_ns;
  schedule.last_code = e.code;
  schedule.due_ns = e.next_ns;
  if (e.next_ns != 0) by_due_.emplace(e.next_ns, e.name);
}

void Schedules::encode(ByteWriter& out) const {
  out.varint(all_.size());
  for (const auto& [name, s] : all_) {
    out.text(name);
    out.text(s.spec);
    out.text(s.zone);
    out.blob(s.record);
    out.varint(s.queue);
    out.varint(s.type);
    out.varint(s.owner_uid);
    out.signed_varint(s.set_ns);
    out.signed_varint(s.due_ns);
    out.signed_varint(s.last_ns);
    out.varint(s.last_code);
  }
}

bool Schedules::decode(ByteReader& in) {
  for (uint64_t left = in.varint(); left > 0 && !in.failed(); --left) {
    Schedule s;
    s.name = in.text();
    s.spec = in.text();
    s.zone = in.text();
    const ByteView record = in.blob();
    s.record.assign(record.begin(), record.end());
    s.queue = static_cast<QueueNo>(in.varint());
    s.type = static_cast<TypeNo>(in.varint());
    s.owner_uid = static_cast<uint32_t>(in.varint());
    s.set_ns = in.signed_varint();
    s.due_ns = in.signed_varint();
    s.last_ns = in.signed_varint();
    s.last_code = static_cast<uint8_t>(in.varint());
    add(std::move(s));
  }
  return !in.failed();
}

const char* Schedules::find_fault(size_t queue_count, size_t type_count) const {
  size_t bytes = 0;
  size_t due = 0;
  std::set<uint64_t> ids;
  for (const auto& [name, s] : all_) {
    if (name != s.name || !valid_name(name) || !valid_zone_name(s.zone)) return "schedules: name or zone";
    if (!parse_cron_spec(s.spec)) return "schedules: a spec that is none";
    if (s.queue >= queue_count || s.type >= type_count) return "schedules: queue or type is not there";
    const auto job = read_submit_record(s.record);
    if (!job || check_schedule_job(*job, limits::kPayloadBytesMax).error != Error::kOk)
      return "schedules: a record that makes no job";
    if (!ids.insert(name_bits(name)).second) return "schedules: two whose runs have the same ids";
    if (s.due_ns != 0 && s.due_ns <= s.last_ns) return "schedules: a run is due twice";
    if (s.due_ns != 0 && !by_due_.contains({s.due_ns, name})) return "schedules: a due time is not in order";
    bytes += s.record.size();
    due += s.due_ns != 0 ? 1 : 0;
  }
  if (bytes != record_bytes_) return "schedules: bytes of records";
  if (due != by_due_.size()) return "schedules: a due time of no schedule";
  return all_.size() <= limits::kSchedulesMax ? nullptr : "schedules: too many";
}

}  // namespace pqd
