#include "tools/pqctl/batch_outcomes.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <unordered_map>

#include "core/limits.h"
#include "tools/pqctl/base64.h"
#include "tools/pqctl/json_text.h"
#include "tools/pqctl/raw_json.h"
#include "tools/pqctl/utf8.h"

namespace pqd::ctl {
namespace {

namespace json = boost::json;

// How much of a line is shown when it is wrong: it may be of anything, and go to a terminal or to the job.
constexpr size_t kShownColumns = 60;

using Line = std::expected<JobOutcome, std::string>;

std::unexpected<std::string> wrong(std::string text) { return std::unexpected(std::move(text)); }

std::string_view text_in(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(json::string_view(key));
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

Line complete_of(const json::object& object, std::string_view line) {
  JobOutcome outcome{Verdict::kComplete, {}};
  const json::value* value = object.if_contains("result");
  const json::value* bytes = object.if_contains("result_base64");
  if (value != nullptr && bytes != nullptr) return wrong("result and result_base64 exclude each other");
  if (bytes != nullptr) {
    auto decoded = from_base64(text_in(object, "result_base64"));
    if (!bytes->is_string() || !decoded) return wrong("result_base64 must be text in padded Base64");
    outcome.text = std::move(*decoded);
  } else if (value != nullptr) {
    outcome.text = value->is_string() ? std::string(text_in(object, "result")) : raw_member(line, "result");
  }
  if (outcome.text.size() > limits::kResultBytesMax)
    return wrong("the result is over 64 KiB; the command should store it and print a reference");
  return outcome;
}

Line fail_of(const json::object& object) {
  const json::value* error = object.if_contains("error");
  if (error != nullptr && !error->is_string()) return wrong("\"error\" must be text");
  const json::value* retry = object.if_contains("retry");
  if (retry != nullptr && !retry->is_bool()) return wrong("\"retry\" must be true or false");
  const bool again = retry == nullptr || retry->get_bool();
  return JobOutcome{again ? Verdict::kRetry : Verdict::kFailForGood, std::string(text_in(object, "error"))};
}

// A misspelt key would be taken for one that is not there.
std::string first_unknown(const json::object& object, std::string_view outcome) {
  const auto known = [&](std::string_view key) {
    if (key == "id" || key == "outcome") return true;
    if (outcome == "complete") return key == "result" || key == "result_base64";
    return outcome == "fail" && (key == "error" || key == "retry");
  };
  for (const auto& member : object)
    if (!known(std::string_view(member.key()))) return one_line(std::string_view(member.key()));
  return {};
}

Line outcome_of(const json::object& object, std::string_view line) {
  const std::string_view outcome = text_in(object, "outcome");
  if (outcome != "complete" && outcome != "fail" && outcome != "release")
    return wrong("\"outcome\" must be complete, fail or release");
  if (const std::string key = first_unknown(object, outcome); !key.empty()) {
    return wrong("\"" + shorten(key, kShownColumns) + "\" is no field of the outcome " +
                 std::string(outcome));
  }
  if (outcome == "complete") return complete_of(object, line);
  if (outcome == "fail") return fail_of(object);
  return JobOutcome{};
}

class Reader {
 public:
  explicit Reader(std::span<const JobId> ids) {
    outcomes_.jobs.resize(ids.size());
    for (size_t i = 0; i < ids.size(); ++i) places_.emplace(ids[i].to_string(), i);
  }

  void take(std::string_view line) {
    ++number_;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
    if (const std::string why = why_not(line); !why.empty() && outcomes_.fault.empty())
      outcomes_.fault = "line " + std::to_string(number_) + " of the command's output: " + why;
  }
  BatchOutcomes take_all() { return std::move(outcomes_); }

 private:
  // "" when it has been taken.
  std::string why_not(std::string_view line) {
    const auto value = parse_json(line);
    if (!value || !value->is_object()) {
      return "\"" + shorten(one_line(line.substr(0, 4 * kShownColumns)), kShownColumns) +
             "\" is no JSON object such as {\"id\":\"...\",\"outcome\":\"complete\"}";
    }
    const json::object& object = value->get_object();
    const std::string_view id = text_in(object, "id");
    if (id.empty()) return "\"id\" is missing, or no text";
    const auto place = places_.find(std::string(id));
    if (place == places_.end())
      return "there is no job \"" + shorten(one_line(id.substr(0, 4 * kShownColumns)), kShownColumns) +
             "\" in this batch";
    auto& job = outcomes_.jobs[place->second];
    if (job) return "a second outcome for " + std::string(id);
    auto outcome = outcome_of(object, line);
    if (!outcome) return outcome.error();
    job = std::move(*outcome);
    return {};
  }

  std::unordered_map<std::string, size_t> places_;
  BatchOutcomes outcomes_;
  size_t number_ = 0;
};

}  // namespace

BatchOutcomes read_batch_outcomes(std::string_view output, std::span<const JobId> ids, bool cut) {
  if (cut) output = output.substr(0, output.rfind('\n') + 1);
  Reader reader(ids);
  while (!output.empty()) {
    const size_t end = std::min(output.find('\n'), output.size());
    reader.take(output.substr(0, end));
    output.remove_prefix(std::min(end + 1, output.size()));
  }
  return reader.take_all();
}

}  // namespace pqd::ctl
