// The grammar of the commands about queues and the daemon.
#include <array>
#include <memory>

#include "tools/pqctl/grammar.h"

namespace pqd::ctl {
namespace {

struct QueueVerb {
  const char* name;
  const char* what;
  QueueAction action;
};
constexpr std::array kQueueVerbs{
    QueueVerb{"pause", "Deliver no more jobs; submits are still taken", QueueAction::kPause},
    QueueVerb{"resume", "Deliver and take jobs again", QueueAction::kResume},
    QueueVerb{"drain", "Take no more jobs; those there are still delivered", QueueAction::kDrain},
};

void add_queue_command(CLI::App& app, Chosen& chosen) {
  CLI::App& queue =
      add_command(app, "queue", "Look at queues, set, pause, resume and drain them", "pqctl queue ls");
  queue.require_subcommand(1);
  add_command(queue, "ls", "List the queues", "pqctl queue ls -o json").callback([&chosen] {
    chosen = run_queue_list;
  });
  const auto name = std::make_shared<std::string>();
  CLI::App& show = add_command(queue, "show", "Show a queue and its settings", "pqctl queue show default");
  show.add_option("QUEUE", *name, "the queue's name")->required();
  show.callback(
      [=, &chosen] { chosen = [name](Context& context) { return run_queue_show(context, *name); }; });
  const auto options = std::make_shared<QueueSetOptions>();
  CLI::App& set = add_command(queue, "set", "Change a queue's settings for as long as nobody says otherwise",
                              "pqctl queue set mail max_active=50 processing_timeout=5m");
  set.add_option("QUEUE", options->queue, "the queue's name")->required();
  set.add_option("SETTINGS", options->words, "key=value, named and written as in the configuration");
  set.add_flag("--reset", options->reset, "back to the configuration's");
  set.callback(
      [=, &chosen] { chosen = [options](Context& context) { return run_queue_set(context, *options); }; });
  for (const QueueVerb& verb : kQueueVerbs) {
    CLI::App& command =
        add_command(queue, verb.name, verb.what, std::string("pqctl queue ") + verb.name + " default");
    command.add_option("QUEUE", *name, "the queue's name")->required();
    command.callback([name, action = verb.action, &chosen] {
      chosen = [=](Context& context) { return run_queue_control(context, action, *name); };
    });
  }
}

}  // namespace

void add_queue_commands(CLI::App& app, Chosen& chosen) {
  add_queue_command(app, chosen);
  add_dlq_commands(app, chosen);
}

void add_daemon_commands(CLI::App& app, Chosen& chosen) {
  add_command(app, "health", "How the daemon is: exits 0 when healthy, 1 degraded, 2 unhealthy",
              "pqctl health -o json")
      .callback([&chosen] { chosen = run_health; });
  const auto shell = std::make_shared<std::string>();
  CLI::App& completion = add_command(app, "completion", "Print a completion script for bash or zsh",
                                     "source <(pqctl completion bash)");
  completion.add_option("SHELL", *shell, "bash or zsh")->required();
  completion.callback([=, &chosen] {
    chosen = [shell](Context& context) {
      const auto script = completion_script(*shell);
      if (!script) return context.fail(script.error());
      context.print(*script);
      return kExitOk;
    };
  });
  add_command(app, "version", "Print the version", "pqctl version").callback([&chosen] {
    chosen = run_version;
  });
}

}  // namespace pqd::ctl
