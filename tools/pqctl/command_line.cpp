#include "tools/pqctl/command_line.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <span>

#include "daemon/config/nearest_word.h"
#include "daemon/config/suggest.h"
#include "tools/pqctl/duration.h"
#include "tools/pqctl/grammar.h"
#include "tools/pqctl/wrap.h"

namespace pqd::ctl {
namespace {

constexpr std::array<std::string_view, 3> kFormats{"table", "json", "jsonl"};
constexpr std::array<std::string_view, 4> kOptionsWithValue{"--socket", "-o", "--output", "--timeout"};
constexpr std::array<std::string_view, 3> kFlags{"--no-color", "-h", "--help"};

struct GlobalOptions {
  std::string socket;
  std::string output = "table";
  std::string timeout;
  bool no_color = false;
};

struct Grammar {
  explicit Grammar(const std::vector<std::string>& command = {});

  CLI::App app{"Talks to pqd, the performance queue of this host.", "pqctl"};
  GlobalOptions options;
  Chosen chosen;
};

Grammar::Grammar(const std::vector<std::string>& command) {
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--socket", options.socket,
                 "the daemon's socket (PQD_SOCKET, $XDG_RUNTIME_DIR/pqd/pqd.sock, /run/pqd/pqd.sock)");
  app.add_option("-o,--output", options.output, "table, json or jsonl (table)");
  app.add_option("--timeout", options.timeout, "how long to wait: 500ms, 30s, 5m");
  app.add_flag("--no-color", options.no_color, "no colours, as with NO_COLOR");
  app.footer("Example:\n  pqctl submit mail hello --wait");
  add_all_commands(app, chosen, command);
}

// The words that are no option and no option's value, up to two: the command and what follows it. Behind an
// option of the command's own nobody knows what is a value.
std::vector<std::string> first_words(const std::vector<std::string>& arguments) {
  std::vector<std::string> words;
  for (size_t i = 0; i < arguments.size() && words.size() < 2; ++i) {
    const std::string& word = arguments[i];
    if (!word.starts_with('-'))
      words.push_back(word);
    else if (std::ranges::find(kOptionsWithValue, word) != kOptionsWithValue.end())
      ++i;
    else if (std::ranges::find(kFlags, word) == kFlags.end())
      break;
  }
  return words;
}

// `work` has everything behind -- for itself; for the others it only ends the options.
std::vector<std::string> take_command(std::vector<std::string>& arguments) {
  const auto words = first_words(arguments);
  if (words.empty() || words.front() != "work") return {};
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  if (dashes == arguments.end()) return {};
  std::vector<std::string> command(dashes + 1, arguments.end());
  arguments.erase(dashes, arguments.end());
  return command;
}

std::vector<std::string> names_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(command->get_name());
  }
  return names;
}

std::string full_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : full_name(*app.get_parent()) + " " + app.get_name();
}

// Adds every command of this name below `app`, behind the words that lead to that: "queue pause".
void find_commands(const CLI::App& app, const std::string& path, std::string_view name,
                   std::vector<std::string>& found) {
  for (const std::string& each : names_of(app)) {
    if (each == name) found.push_back(path + each);
    find_commands(*app.get_subcommand(each), path + each + " ", name, found);
  }
}

const CLI::App& root_of(const CLI::App& app) {
  return app.get_parent() == nullptr ? app : root_of(*app.get_parent());
}

// The same word where there is such a command, in another group or in none, else one of the group's own that
// is spelt like it.
std::string meant_by(const CLI::App& app, std::string_view word, const std::vector<std::string>& names) {
  std::vector<std::string> elsewhere;
  find_commands(root_of(app), "", word, elsewhere);
  if (elsewhere.empty()) return suggest(word, std::vector<std::string_view>(names.begin(), names.end()));
  std::string list = elsewhere.front();
  for (size_t i = 1; i < elsewhere.size(); ++i)
    list += (i + 1 < elsewhere.size() ? ", " : " or ") + elsewhere[i];
  return did_you_mean(list);
}

// Misspelt commands, told better than the parser does.
Checked<void> check_words(const CLI::App& app, std::span<const std::string> words) {
  const std::vector<std::string> names = names_of(app);
  if (words.empty() || names.empty()) return {};
  if (std::find(names.begin(), names.end(), words.front()) != names.end()) {
    return check_words(*app.get_subcommand(words.front()), words.subspan(1));
  }
  return complain(kExitUsage, "there is no `" + full_name(app) + " " + words.front() + "`" +
                                  meant_by(app, words.front(), names) + "; see `" + full_name(app) +
                                  " --help`");
}

Checked<Context::Settings> settings_of(const GlobalOptions& options) {
  Context::Settings settings{.socket = options.socket, .no_color = options.no_color};
  const auto format = std::find(kFormats.begin(), kFormats.end(), options.output);
  if (format == kFormats.end()) {
    return complain(kExitUsage, "-o takes table, json or jsonl, not \"" + options.output + "\"" +
                                    suggest(options.output, kFormats));
  }
  settings.format = static_cast<Format>(format - kFormats.begin());
  if (options.timeout.empty()) return settings;
  settings.timeout = parse_duration(options.timeout);
  if (settings.timeout) return settings;
  return complain(kExitUsage, "--timeout \"" + options.timeout + "\" is not a duration; write " +
                                  std::string(kDurationForms));
}

// The deepest command that was named, for its help.
const CLI::App& named_command(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? app : named_command(*commands.front());
}

// What the command has in the place of an option that it does not have: `name` is without dashes.
std::string instead_of(const CLI::App& command, std::string_view name) {
  std::vector<std::string> options;
  for (const CLI::App* at = &command; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      if (option->get_positional() && CLI::detail::to_lower(option->get_name()) == name)
        return " (" + option->get_name() + " is a word by itself)";
      std::ranges::copy(option->get_lnames(), std::back_inserter(options));
    }
  }
  const std::vector<std::string_view> views(options.begin(), options.end());
  std::string_view meant = nearest_word(name, views);
  for (const std::string_view option : views)
    if (meant.empty() && name.ends_with("-" + std::string(option))) meant = option;
  return did_you_mean(meant.empty() ? "" : "--" + std::string(meant));
}

Complaint usage_complaint(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = named_command(app);
  for (const std::string& word : app.remaining(true)) {
    if (!word.starts_with("--") || word.size() == 2) continue;
    const std::string option = word.substr(0, word.find('='));
    return {kExitUsage, "`" + full_name(command) + "` has no option " + option +
                            instead_of(command, std::string_view(option).substr(2)) + "; see `" +
                            full_name(command) + " --help`"};
  }
  const bool no_command =
      dynamic_cast<const CLI::RequiredError*>(&error) != nullptr && !names_of(command).empty();
  return {kExitUsage, (no_command ? "a command is missing" : std::string(error.what())) + "; see `" +
                          full_name(command) + " --help`"};
}

}  // namespace

void add_all_commands(CLI::App& app, Chosen& chosen, const std::vector<std::string>& command) {
  add_submit_command(app, chosen);
  add_job_commands(app, chosen);
  add_events_command(app, chosen);
  add_work_command(app, chosen, command);
  add_queue_commands(app, chosen);
  add_cron_commands(app, chosen);
  add_config_commands(app, chosen);
  add_store_commands(app, chosen);
  add_metrics_command(app, chosen);
  add_bench_command(app, chosen);
  add_daemon_commands(app, chosen);
}

CLI::App& add_command(CLI::App& app, const std::string& name, const std::string& what,
                      const std::string& example) {
  CLI::App* command = app.add_subcommand(name, what);
  command->footer("Example:\n  " + example);
  command->fallthrough();
  return *command;
}

Checked<Invocation> parse_command_line(std::vector<std::string> arguments) {
  const std::vector<std::string> command = take_command(arguments);
  const auto grammar = std::make_shared<Grammar>(command);
  if (auto known = check_words(grammar->app, first_words(arguments)); !known) {
    return std::unexpected(known.error());
  }
  try {
    std::reverse(arguments.begin(), arguments.end());
    grammar->app.parse(arguments);
  } catch (const CLI::CallForHelp&) {
    const CLI::App& asked = named_command(grammar->app);
    return Invocation{
        {},
        [help = asked.help(asked.get_parent() == nullptr ? "" : full_name(*asked.get_parent()))](
            Context& context) {
          context.print(wrapped_help(help, output_columns(STDOUT_FILENO)));
          return kExitOk;
        }};
  } catch (const CLI::ParseError& error) {
    return std::unexpected(usage_complaint(grammar->app, error));
  }
  auto settings = settings_of(grammar->options);
  if (!settings) return std::unexpected(settings.error());
  return Invocation{std::move(*settings), grammar->chosen};
}

}  // namespace pqd::ctl
