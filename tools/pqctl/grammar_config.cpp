// The grammar of `config` and `doctor`.
#include <memory>

#include "tools/pqctl/grammar.h"

namespace pqd::ctl {
namespace {

constexpr const char* kConfigHelp = "the configuration file (/etc/pqd/pqd.toml, if it is there)";

void add_doctor_command(CLI::App& app, Chosen& chosen) {
  const auto file = std::make_shared<std::string>();
  CLI::App& doctor = add_command(
      app, "doctor", "What of this host and its daemon is as pqd needs it; exits 1 when something fails",
      "pqctl doctor");
  doctor.add_option("--config", *file, kConfigHelp);
  doctor.callback([=, &chosen] { chosen = [file](Context& context) { return run_doctor(context, *file); }; });
}

}  // namespace

void add_config_commands(CLI::App& app, Chosen& chosen) {
  CLI::App& config =
      add_command(app, "config", "Check a configuration file, show what is in force", "pqctl config show");
  config.require_subcommand(1);
  const auto file = std::make_shared<std::string>();
  CLI::App& check = add_command(config, "check", "Say all that is wrong with a file, or that it is good",
                                "pqctl config check /etc/pqd/pqd.toml");
  check.add_option("FILE", *file, "the configuration file")->required();
  check.callback(
      [=, &chosen] { chosen = [file](Context& context) { return run_config_check(context, *file); }; });
  CLI::App& show =
      add_command(config, "show", "Print every setting with its value: file, environment, defaults",
                  "pqctl config show --config pqd.toml");
  show.add_option("--config", *file, kConfigHelp);
  show.callback(
      [=, &chosen] { chosen = [file](Context& context) { return run_config_show(context, *file); }; });
  add_doctor_command(app, chosen);
}

}  // namespace pqd::ctl
