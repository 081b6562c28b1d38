// The two sides that are compared: what the daemon knows of the jobs, and what sha256sum says of the files.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "bindings/cpp/client.h"
#include "tools/demo/scratch.h"
#include "tools/demo/signals.h"

namespace pqd::demo {

// A job as the daemon has it.
struct KnownJob {
  JobState state = JobState::kPending;
  uint16_t attempts = 0;
  TimeNs created_ns = 0;
  TimeNs finished_ns = 0;
  std::string result;
};
using KnownJobs = std::unordered_map<JobId, KnownJob, JobIdHash>;

// Every job of the demonstration's queue. The error is a sentence.
std::expected<KnownJobs, std::string> ask_for_jobs(Client& client);

// Is nothing left to do in the queue? Nothing known without an answer.
std::optional<bool> queue_is_empty(Client& client);

using Digests = std::unordered_map<std::string, std::string>;  // by path

// Runs sha256sum on the listed files; those that it cannot read have no entry.
std::expected<Digests, std::string> run_sha256sum(const std::string& list, const Scratch& scratch,
                                                  Signals& signals);

// Of its output, records ended by zero bytes: the digest, two characters, the path.
Digests parse_digests(std::string_view output);

}  // namespace pqd::demo
