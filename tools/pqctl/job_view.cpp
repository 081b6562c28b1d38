#include "tools/pqctl/job_view.h"

#include <unistd.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <thread>

#include "bindings/cpp/deadline.h"
#include "tools/pqctl/duration.h"
#include "tools/pqctl/info_json.h"
#include "tools/pqctl/utf8.h"

namespace pqd::ctl {
namespace {

constexpr Milliseconds kPauseMin{2};
constexpr Milliseconds kPauseMax{500};

std::string bytes_text(ByteView bytes) {
  const std::string_view text = as_text(bytes);
  return valid_utf8(text) ? std::string(text)
                          : std::to_string(bytes.size()) + " bytes that are no text; -o json shows them";
}

std::string time_text(TimeNs time) {
  return time == 0 ? std::string() : iso_time(time) + " (" + age_text(time) + ")";
}

std::string attempts_text(const JobCore& core) {
  std::string text = std::to_string(core.attempts) + " of " + std::to_string(core.max_attempts);
  if (core.failures != 0) text += ", failed " + std::to_string(core.failures);
  if (core.deaths != 0) text += ", consumer died or overran " + std::to_string(core.deaths);
  return text;
}

std::string error_line(const AttemptInfo& attempt) {
  std::string line = iso_time(attempt.when_ns) + " " + std::string(reason_name(attempt.reason));
  if (!attempt.error.empty()) line += ": " + attempt.error;
  return line;
}

}  // namespace

Checked<JobId> parse_id(std::string_view text) {
  if (const auto id = JobId::parse(text)) return *id;
  return complain(kExitBadData,
                  "INVALID_REQUEST: not a job id: \"" + std::string(text) +
                      "\"; ids have 36 characters, as `pqctl submit` and `pqctl ls` print them");
}

std::string age_text(TimeNs time_ns) {
  if (time_ns == 0) return {};
  const int64_t age_ms = unix_now_ms() - time_ns / kMillisecondNs;
  return age_ms < 0 ? "in " + duration_text(Milliseconds(-age_ms))
                    : duration_text(Milliseconds(age_ms)) + " ago";
}

Sheet job_sheet(const JobInfo& job) {
  const JobCore& core = job.core;
  const bool held = core.state == JobState::kAssigned || core.state == JobState::kProcessing;
  Sheet sheet;
  sheet.add("id", core.id.to_string());
  sheet.add("status", state_name(core.state), tone_of(core.state));
  sheet.add("reason", reason_name(core.reason));
  sheet.add("queue", job.queue);
  sheet.add("type", job.type);
  sheet.add("mode", std::string(mode_name(core.mode)) + ", priority " + std::to_string(core.priority));
  sheet.add("attempts", attempts_text(core));
  sheet.add("guarantees",
            std::string(delivery_name(core.delivery)) + ", " + std::string(durability_name(core.durability)) +
                (core.durability == Durability::kMemory ? " (no disk: gone when the daemon stops)" : ""));
  sheet.add("created", time_text(core.created_ns));
  if (core.state == JobState::kPending && core.pending != Pending::kReady)
    sheet.add("starts after", time_text(core.start_after_ns));
  if (held) sheet.add("leased until", time_text(core.lease_until_ns));
  sheet.add("finished", time_text(core.finished_ns));
  sheet.add("user", std::to_string(core.owner_uid) + (job.subject.empty() ? "" : " for " + job.subject));
  if (core.progress != 0) sheet.add("progress", std::to_string(core.progress) + " %");
  sheet.add("note", job.note);
  if (core.cancel_requested) sheet.add("cancel", "asked for", Tone::kWarn);
  if (job.dlq)
    sheet.add("dead letter", "yes; `pqctl dlq redrive " + core.id.to_string() + "` gives it a new life");
  if (core.purged) sheet.add("dead letter", "was one; purged, the payload is gone");
  sheet.add("metadata", job.metadata);
  sheet.add("payload",
            job.has_payload ? bytes_text(job.payload) : std::to_string(core.payload_bytes) + " bytes");
  for (const AttemptInfo& attempt : job.history) {
    sheet.add("attempt " + std::to_string(attempt.attempt), error_line(attempt), Tone::kBad);
  }
  for (const ReviewInfo& review : job.reviews) {
    sheet.add("reviewed",
              iso_time(review.when_ns) + " by user " + std::to_string(review.uid) + ": " + review.resolution);
  }
  if (core.state == JobState::kCompleted) sheet.add("result", bytes_text(job.result));
  return sheet;
}

Checked<JobInfo> wait_for_end(Client& client, const JobId& id, std::optional<Milliseconds> timeout) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  const Deadline deadline = Deadline::in(timeout.value_or(kForever));
  for (;;) {
    auto job = client.get(id);
    if (!job) return complain(job.error());
    if (is_finished(job->core.state)) return std::move(*job);
    if (deadline.passed()) {
      return complain(Error::kRequestTimeout,
                      "the job is still " + std::string(state_name(job->core.state)) + " after " +
                          duration_text(timeout.value_or(Milliseconds(0))) +
                          "; it goes on, look again with `pqctl get " + id.to_string() + "`");
    }
    // Pauses grow with the time waited, so that a long job costs a few questions a second at most.
    const auto waited = std::chrono::duration_cast<Milliseconds>(Clock::now() - begin);
    const auto pause = std::clamp(waited / 8, kPauseMin, kPauseMax);
    std::this_thread::sleep_for(std::min(pause, std::max(deadline.left(), Milliseconds(1))));
  }
}

int report_end(Context& context, const JobInfo& job) {
  const bool completed = job.core.state == JobState::kCompleted;
  if (context.format() != Format::kTable) {
    context.print_json(boost::json::value(job_json(job)));
    return completed ? kExitOk : kExitFailed;
  }
  if (completed) {
    const std::string_view result = as_text(job.result);
    context.print_foreign(result);
    if (::isatty(STDOUT_FILENO) == 1 && !result.empty() && result.back() != '\n') context.print("\n");
    return kExitOk;
  }
  std::string text = "the job ended " + std::string(state_name(job.core.state));
  if (job.core.reason != Reason::kNone) text += " (" + std::string(reason_name(job.core.reason)) + ")";
  if (!job.history.empty()) text += "; the last attempt: " + one_line(job.history.back().error);
  return context.fail({kExitFailed, text + "; `pqctl get " + job.core.id.to_string() + "` shows all of it"});
}

}  // namespace pqd::ctl
