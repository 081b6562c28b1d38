// pqctl doctor
#include "tools/pqctl/doctor.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "bindings/cpp/dial.h"
#include "tools/pqctl/commands.h"
#include "tools/pqctl/config_source.h"
#include "tools/pqctl/state_directory.h"
#include "tools/pqctl/utf8.h"
#include "tools/pqctl/wrap.h"

namespace pqd::ctl {
namespace {

constexpr std::array<std::string_view, 3> kVerdicts{"ok", "warn", "fail"};
constexpr std::array<Tone, 3> kTones{Tone::kGood, Tone::kWarn, Tone::kBad};
constexpr size_t kVerdictColumns = 6;
constexpr size_t kCheckColumns = 16;

std::string_view name_of(Verdict verdict) { return kVerdicts[static_cast<size_t>(verdict)]; }

Finding configuration_finding(const std::string& path, const std::expected<Config, ConfigFaults>& config) {
  const std::string what = path.empty() ? "no file, the defaults" : path;
  if (config) return {"configuration", Verdict::kOk, what};
  const size_t more = config.error().size() - 1;
  return {"configuration", Verdict::kFail,
          config.error().front() + (more == 0 ? "" : " (and " + std::to_string(more) + " more)"),
          "mend it, `pqctl config check` tells every fault; the checks below go by the defaults"};
}

void append(Findings& to, Findings more) { std::move(more.begin(), more.end(), std::back_inserter(to)); }

Findings examine(Context& context, const std::string& file) {
  const std::string path = config_path(file);
  const auto loaded = load_config(path, process_environment());
  const Config config = loaded.value_or(Config());
  const DaemonTrace daemon = trace_daemon(find_socket(context.connect_options().socket));
  Findings findings{check_versions(), configuration_finding(path, loaded)};
  append(findings, check_kernel(config.daemon.event_loop));
  append(findings, check_limits(config.daemon, daemon.pid));
  append(findings, check_disk(state_directory(config.daemon, daemon), config.store.reserved_bytes));
  append(findings, check_daemon(context, daemon));
  return findings;
}

void print_finding(Context& context, const Finding& finding) {
  // A line each where nobody looks, so that grep finds all of it.
  const size_t columns = ::isatty(STDOUT_FILENO) == 1 ? output_columns(STDOUT_FILENO) : SIZE_MAX;
  const auto padded = [](std::string_view word, size_t wide) {
    return std::string(wide > word.size() ? wide - word.size() : 1, ' ');
  };
  const std::string_view verdict = name_of(finding.verdict);
  std::string line = context.colour().paint(kTones[static_cast<size_t>(finding.verdict)], verdict);
  line += padded(verdict, kVerdictColumns) + finding.check + padded(finding.check, kCheckColumns);
  std::string text = one_line(finding.text);
  if (!finding.remedy.empty()) text += ": " + one_line(finding.remedy);
  context.print(line + wrapped(text, kVerdictColumns + kCheckColumns, columns) + "\n");
}

void print_findings_json(Context& context, const Findings& findings, Verdict worst) {
  boost::json::array checks;
  for (const Finding& finding : findings) {
    boost::json::object object{
        {"check", finding.check}, {"status", name_of(finding.verdict)}, {"text", one_line(finding.text)}};
    if (!finding.remedy.empty()) object["remedy"] = one_line(finding.remedy);
    checks.push_back(std::move(object));
  }
  if (context.format() == Format::kJsonl) return context.print_json_list(checks);
  context.print_json(boost::json::value({{"status", name_of(worst)}, {"checks", std::move(checks)}}));
}

}  // namespace

std::string bytes_in_words(uint64_t bytes) {
  constexpr std::array<const char*, 5> kUnits{" bytes", " KiB", " MiB", " GiB", " TiB"};
  size_t unit = 0;
  uint64_t tenths = bytes * 10;
  for (; tenths >= 10'240 && unit + 1 < kUnits.size(); ++unit) tenths /= 1'024;
  const bool whole = unit == 0 || tenths >= 1'000 || tenths % 10 == 0;
  return std::to_string(tenths / 10) + (whole ? "" : "." + std::to_string(tenths % 10)) + kUnits[unit];
}

int run_doctor(Context& context, const std::string& file) {
  const Findings findings = examine(context, file);
  Verdict worst = Verdict::kOk;
  for (const Finding& finding : findings) worst = std::max(worst, finding.verdict);
  if (context.format() == Format::kTable) {
    for (const Finding& finding : findings) print_finding(context, finding);
  } else {
    print_findings_json(context, findings, worst);
  }
  return worst == Verdict::kFail ? kExitFailed : kExitOk;
}

}  // namespace pqd::ctl
