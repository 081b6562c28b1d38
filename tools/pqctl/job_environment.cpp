#include "tools/pqctl/job_environment.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace pqd::ctl {
namespace {

using Variable = std::pair<std::string_view, std::string>;

// Whoever runs us may work on a job itself.
constexpr std::array<std::string_view, 12> kNames{
    "PQD_JOB_ID", "PQD_QUEUE",   "PQD_TYPE",         "PQD_ATTEMPT",     "PQD_MAX_ATTEMPTS", "PQD_PRIORITY",
    "PQD_MODE",   "PQD_SUBJECT", "PQD_ORDERING_KEY", "PQD_TRACEPARENT", "PQD_METADATA",     "PQD_BATCH_SIZE"};

bool is_ours(std::string_view variable) {
  const std::string_view name = variable.substr(0, variable.find('='));
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::vector<std::string> environment_with(std::span<const Variable> ours) {
  std::vector<std::string> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!is_ours(*variable)) environment.emplace_back(*variable);
  }
  for (const auto& [name, whole] : ours) {
    const std::string_view value = std::string_view(whole).substr(0, whole.find('\0'));
    if (!value.empty()) environment.push_back(std::string(name) + "=" + std::string(value));
  }
  return environment;
}

}  // namespace

std::vector<std::string> job_environment(const DeliveredJob& job) {
  const std::array<Variable, 11> ours{{{"PQD_JOB_ID", job.id().to_string()},
                                       {"PQD_QUEUE", std::string(job.queue())},
                                       {"PQD_TYPE", std::string(job.type())},
                                       {"PQD_ATTEMPT", std::to_string(job.attempt())},
                                       {"PQD_MAX_ATTEMPTS", std::to_string(job.max_attempts())},
                                       {"PQD_PRIORITY", std::to_string(job.priority())},
                                       {"PQD_MODE", std::string(mode_name(job.mode()))},
                                       {"PQD_SUBJECT", std::string(job.subject())},
                                       {"PQD_ORDERING_KEY", std::string(job.ordering_key())},
                                       {"PQD_TRACEPARENT", std::string(job.traceparent())},
                                       {"PQD_METADATA", std::string(job.metadata())}}};
  return environment_with(ours);
}

std::vector<std::string> batch_environment(std::span<const DeliveredJob> jobs) {
  const DeliveredJob& first = jobs.front();
  const std::array<Variable, 4> ours{{{"PQD_BATCH_SIZE", std::to_string(jobs.size())},
                                      {"PQD_QUEUE", std::string(first.queue())},
                                      {"PQD_TYPE", std::string(first.type())},
                                      {"PQD_MODE", std::string(mode_name(first.mode()))}}};
  return environment_with(ours);
}

std::vector<std::string> own_environment() { return environment_with({}); }

}  // namespace pqd::ctl
