// pqctl completion SHELL
#include "tools/pqctl/grammar.h"

namespace pqd::ctl {
namespace {

const auto kAll = [](const CLI::App*) { return true; };

std::string options_of(const CLI::App& command) {
  std::string words;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group().empty()) continue;  // hidden
    for (const std::string& name : option->get_lnames()) words += " --" + name;
  }
  return words;
}

std::string commands_of(const CLI::App& command) {
  std::string words;
  for (const CLI::App* each : command.get_subcommands(kAll)) words += " " + each->get_name();
  return words;
}

// One branch for each command: what may follow it.
void add_branches(const CLI::App& command, const std::string& path, const std::string& shared,
                  std::string& script) {
  script += "    '" + path + "') words='" + commands_of(command) + options_of(command) + shared + "' ;;\n";
  for (const CLI::App* each : command.get_subcommands(kAll)) {
    add_branches(*each, path.empty() ? each->get_name() : path + " " + each->get_name(), shared, script);
  }
}

std::string bash_script(const CLI::App& app) {
  std::string script =
      "_pqctl() {\n"
      "  local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\" path='' "
      "words='' i word\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    word=\"${COMP_WORDS[i]}\"\n"
      "    case \"$path $word\" in\n";
  for (const CLI::App* each : app.get_subcommands(kAll)) {
    script += "      ' " + each->get_name() + "') path='" + each->get_name() + "' ;;\n";
    for (const CLI::App* inner : each->get_subcommands(kAll)) {
      const std::string path = each->get_name() + " " + inner->get_name();
      script += "      '" + path + "') path='" + path + "' ;;\n";
    }
  }
  script +=
      "    esac\n"
      "  done\n"
      "  case \"$previous\" in\n"
      "    -o|--output) words='table json jsonl' ;;\n"
      "    --mode) words='fifo priority batch' ;;\n"
      "    --delivery) words='at-least-once at-most-once' ;;\n"
      "    --durability) words='fsync os memory' ;;\n"
      "    --state) words='pending assigned processing completed failed timeout cancelled' ;;\n"
      "    --socket|--config|--ndjson|check) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n"
      "    completion) words='bash zsh' ;;\n"
      "    *) case \"$path\" in\n";
  add_branches(app, "", "", script);
  script +=
      "    esac ;;\n"
      "  esac\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "}\n"
      "complete -o default -F _pqctl pqctl\n";
  return script;
}

}  // namespace

Checked<std::string> completion_script(const std::string& shell) {
  const bool zsh = shell == "zsh";
  if (!zsh && shell != "bash") {
    return complain(kExitUsage, "there is no completion for \"" + shell + "\"; there is for bash and zsh");
  }
  CLI::App app;
  Chosen chosen;
  add_all_commands(app, chosen);
  return (zsh ? "autoload -U +X bashcompinit && bashcompinit\n" : "") + bash_script(app);
}

}  // namespace pqd::ctl
