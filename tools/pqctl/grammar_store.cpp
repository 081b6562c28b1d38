// The grammar of `store`.
#include <memory>

#include "tools/pqctl/grammar.h"

namespace pqd::ctl {
namespace {

constexpr const char* kDirectoryHelp = "the state directory (that of the daemon that is meant, see --socket)";

}  // namespace

void add_store_commands(CLI::App& app, Chosen& chosen) {
  CLI::App& store =
      add_command(app, "store", "Back up what is on the disk, look through it, save what can be saved",
                  "pqctl store check");
  store.require_subcommand(1);
  const auto options = std::make_shared<StoreOptions>();
  CLI::App& backup = add_command(
      store, "backup",
      "Make a copy of the running daemon's store in a new directory, and check it. To restore it, stop pqd, "
      "give the copy the state directory's name and owner, and start pqd",
      "pqctl store backup /backup/pqd-$(date +%F)");
  backup.add_option("TO", options->to, "a directory that is not there yet")->required();
  backup.add_option("--config", options->config, "the configuration of the daemon (/etc/pqd/pqd.toml)");
  backup.callback(
      [=, &chosen] { chosen = [options](Context& context) { return run_store_backup(context, *options); }; });
  CLI::App& check = add_command(
      store, "check",
      "Read all of a store, also beside its daemon: is every part as it was written, do they agree? Exits 1 "
      "when something is damaged",
      "pqctl store check /var/lib/pqd");
  check.add_option("DIRECTORY", options->directory, kDirectoryHelp);
  check.add_option("--config", options->config, "the configuration that names it (/etc/pqd/pqd.toml)");
  check.callback(
      [=, &chosen] { chosen = [options](Context& context) { return run_store_check(context, *options); }; });
  CLI::App& salvage = add_command(store, "salvage",
                                  "Make a store that pqd starts from out of one that it refuses, in a new "
                                  "directory, and say what is lost; the old one "
                                  "is only read. Exits 1 when something is lost",
                                  "pqctl store salvage /var/lib/pqd /var/lib/pqd-salvaged");
  salvage.add_option("FROM", options->directory, "the state directory of a daemon that does not run")
      ->required();
  salvage.add_option("TO", options->to, "a directory that is not there yet")->required();
  salvage.callback([=, &chosen] {
    chosen = [options](Context& context) { return run_store_salvage(context, *options); };
  });
}

}  // namespace pqd::ctl
