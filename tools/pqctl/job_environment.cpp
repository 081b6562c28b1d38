#include "tools/pqctl/job_environment.h"

#include <unistd.h>

#include <algorithm>
#include <array>

namespace pqd::ctl {
namespace {

constexpr std::array<std::string_view, 11> kNames{
    "PQD_JOB_ID", "PQD_QUEUE",   "PQD_TYPE",         "PQD_ATTEMPT",     "PQD_MAX_ATTEMPTS", "PQD_PRIORITY",
    "PQD_MODE",   "PQD_SUBJECT", "PQD_ORDERING_KEY", "PQD_TRACEPARENT", "PQD_METADATA"};

bool is_ours(std::string_view variable) {
  const std::string_view name = variable.substr(0, variable.find('='));
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

}  // namespace

std::vector<std::string> job_environment(const DeliveredJob& job) {
  std::vector<std::string> environment;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!is_ours(*variable)) environment.emplace_back(*variable);
  }
  const std::array<std::string, kNames.size()> values{job.id().to_string(),
                                                      std::string(job.queue()),
                                                      std::string(job.type()),
                                                      std::to_string(job.attempt()),
                                                      std::to_string(job.max_attempts()),
                                                      std::to_string(job.priority()),
                                                      std::string(mode_name(job.mode())),
                                                      std::string(job.subject()),
                                                      std::string(job.ordering_key()),
                                                      std::string(job.traceparent()),
                                                      std::string(job.metadata())};
  for (size_t i = 0; i < kNames.size(); ++i) {
    const std::string_view value = std::string_view(values[i]).substr(0, values[i].find('\0'));
    if (!value.empty()) environment.push_back(std::string(kNames[i]) + "=" + std::string(value));
  }
  return environment;
}

}  // namespace pqd::ctl
