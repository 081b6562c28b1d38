#include "daemon/supervisor/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "daemon/supervisor/start_failure.h"

namespace pqd {

namespace {

std::string complaint_of(const CLI::App& app, const CLI::ParseError& error) {
  const auto words = app.remaining();
  if (!words.empty() && !words.front().starts_with('-'))
    return "\"" + words.front() + "\" is no option: a directory for --dev is named by --dir";
  if (dynamic_cast<const CLI::ConversionError*>(&error) != nullptr)
    return "--dev and --check-config take no value: a directory for --dev is named by --dir";
  return error.what();
}

}  // namespace

std::expected<CommandLine, int> parse_command_line(int argc, char** argv) {
  CommandLine line;
  CLI::App app("pqd, a performance queue for the processes of one host", "pqd");
  app.set_version_flag("--version", "pqd " PQD_VERSION);
  auto* const dev = app.add_flag("--dev", line.dev, "run without root, in a private directory");
  app.add_option("--dir", line.dir, "with --dev: use this directory and keep it")->needs(dev);
  app.add_option("--config", line.config, "the configuration file (/etc/pqd/pqd.toml, if it is there)");
  app.add_flag("--check-config", line.check_config, "say whether the configuration is good, and end");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // --help and --version, on stdout.
    if (error.get_exit_code() == 0) return std::unexpected(app.exit(error));
    std::fprintf(stderr, "pqd: %s; see `pqd --help`\n", complaint_of(app, error).c_str());
    return std::unexpected(kExitUsage);
  }
  return line;
}

}  // namespace pqd
