// What a command of `pqctl work --batch` has said about single jobs on its standard output: one JSON object a
// line,
//   {"id": ID, "outcome": "complete", "result": VALUE}          `result` or `result_base64`, or none
//   {"id": ID, "outcome": "fail", "error": TEXT, "retry": false}  both may be left out; `retry` is true then
//   {"id": ID, "outcome": "release"}
// A result that is a string is taken as its text, any other as its JSON text without white space. Empty lines
// are passed over. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/job_id.h"

namespace pqd::ctl {

enum class Verdict : uint8_t { kComplete, kRetry, kFailForGood, kRelease };

struct JobOutcome {
  Verdict verdict = Verdict::kRelease;
  std::string text;  // the result, or the error
};

struct BatchOutcomes {
  std::vector<std::optional<JobOutcome>> jobs;  // as many as there are ids, in their order
  // The first line that is none of the above, or not about a job of the batch, or about one that had its
  // line: which, and what is wrong with it. "" = all were understood. The others count in any case.
  std::string fault;
};

// A line may be so long: a result as JSON may be longer than what it stands for.
inline constexpr size_t kOutcomeLineBytes = 128 * 1024;

// `cut`: the output was longer than what is kept; its last line may not be whole and is left out.
BatchOutcomes read_batch_outcomes(std::string_view output, std::span<const JobId> ids, bool cut = false);

}  // namespace pqd::ctl
