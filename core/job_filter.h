// Which jobs a question is about, and who may see a job. Pure; any thread.
#pragma once

#include <expected>
#include <optional>

#include "core/control_record.h"
#include "core/live_index.h"
#include "core/tables.h"

namespace pqd {

// As a uid in a question: everybody's.
inline constexpr uint32_t kEverybody = 0xFFFFFFFF;

// Who asks.
struct Asker {
  SessionNo session = 0;
  uint32_t uid = 0;
  bool sees_all = false;  // operators and administrators
};

// Owners see their jobs, consumers what they hold, operators and admins everything; for anyone else a job
// does not exist.
bool may_see(const Asker& asker, const JobCore& job);

struct JobFilter {
  std::optional<QueueNo> queue{};
  std::optional<TypeNo> type{};
  bool nothing = false;  // a type that no job ever had
  uint8_t states = 0;    // bit per JobState; 0 = all
  int64_t since_ms = 0;  // of the job's id: made at or after
  int64_t until_ms = 0;  // made before; 0 = no bound
  std::optional<uint32_t> owner_uid{};
  JobId older_than{};
  std::optional<JobNo> newer_than{};  // the job's number; asked for in growing order
  bool dead_letters = false;          // purged ones are none
  uint32_t limit = 50;

  // A parked submit is not a job yet and never matches.
  bool matches(const JobCore& job) const;
  // Only what stands in the dead letter queue.
  void keep_dead_letters();
  // Ids below this one alone can match; empty = all.
  JobId below() const;
  // No id older than `id` can match any more.
  bool ends_before(const JobId& id) const { return static_cast<int64_t>(id.unix_ms()) < since_ms; }
  // For a look through the live index.
  LiveSummary live_summary() const;
};

// kNotFound: no such queue. kInvalidRequest: a limit out of its range.
std::expected<JobFilter, Error> filter_of(const QueryView& query, const Tables& tables, const Asker& asker);

}  // namespace pqd
