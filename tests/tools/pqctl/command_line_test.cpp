// What pqctl does without a daemon: usage, exit codes, and what it says about both.
#include <gtest/gtest.h>

#include <sstream>

#include "tests/support/program.h"

namespace pqd::test {
namespace {

constexpr const char* kId = "0199f3a2-5b1c-7000-8000-000000000001";

Ran pqctl(std::vector<std::string> arguments, const std::string& input = {}) {
  arguments.insert(arguments.begin(), PQD_BIN_DIR "/pqctl");
  return run(std::move(arguments), {"PQD_SOCKET=/nonexistent/pqd.sock"}, input);
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

void expect_complaint(const std::vector<std::string>& arguments, int exit, const std::string& part) {
  const Ran ran = pqctl(arguments);
  std::string line = "pqctl";
  for (const std::string& word : arguments) line += " " + word;
  EXPECT_EQ(ran.exit, exit) << line << "\n" << ran.err;
  EXPECT_EQ(ran.out, "") << line;
  EXPECT_TRUE(has(ran.err, part)) << line << "\n" << ran.err;
  EXPECT_TRUE(ran.err.starts_with("pqctl: ")) << line;
}

TEST(CommandLine, EndsWith64OnWrongUsageAndSaysWhereHelpIs) {
  expect_complaint({}, 64, "pqctl --help");
  expect_complaint({"sbmit"}, 64, "did you mean submit?");
  expect_complaint({"queue", "puase", "q"}, 64, "did you mean pause?");
  expect_complaint({"queue"}, 64, "pqctl queue --help");
  expect_complaint({"submit"}, 64, "TYPE");
  expect_complaint({"submit", "t", "--colour", "red"}, 64, "--colour");
  expect_complaint({"submit", "t", "--delay", "1s", "--at", "2026-01-01"}, 64, "excludes");
  expect_complaint({"get"}, 64, "ID");
  expect_complaint({"ls", "--limit", "0"}, 64, "--limit");
  expect_complaint({"-o", "yaml", "ls"}, 64, "table, json or jsonl");
  expect_complaint({"wait", kId, "--timeout", "5"}, 64, "duration");
  expect_complaint({"work", "t"}, 64, "--");
  expect_complaint({"work", "t", "--", "no-such-program-here"}, 64, "no-such-program-here");
  expect_complaint({"queue", "set", "q"}, 64, "--reset");
  expect_complaint({"queue", "set", "q", "max_active=1", "--reset"}, 64, "--reset");
  expect_complaint({"queue", "set", "q", "max_activ=1"}, 64, "did you mean max_active?");
  expect_complaint({"queue", "set", "q", "max_active"}, 64, "key=value");
  expect_complaint({"queue", "set", "q", "max_attempts=0"}, 65, "from 1 to 65535");
  expect_complaint({"queue", "set", "q", "queue_timeout=5"}, 65, "duration");
  expect_complaint({"queue", "set", "q", "fair=users"}, 65, "did you mean \"user\"?");
  expect_complaint({"dlq", "redrive"}, 64, "--all");
  expect_complaint({"dlq", "redrive", "--all", "--rate", "fast"}, 64, "--rate");
  expect_complaint({"dlq", "redrive", "--all", "--type", "t"}, 64, "--all");
  expect_complaint({"dlq", "purge"}, 64, "--before");
  expect_complaint({"dlq", "review", kId}, 64, "--resolution");
  expect_complaint({"dlq", "review", kId, "--resolution", ""}, 65, "1024");
  expect_complaint({"completion", "fish"}, 64, "bash");
}

TEST(CommandLine, NamesTheGroupsOfACommandThatIsNotWhereItWasLookedFor) {
  expect_complaint({"purge", kId}, 64,
                   "there is no `pqctl purge` (did you mean dlq purge?); see `pqctl --help`");
  for (const char* verb : {"redrive", "review"})
    expect_complaint({verb}, 64, std::string("(did you mean dlq ") + verb + "?)");
  for (const char* verb : {"pause", "resume", "drain", "set"})
    expect_complaint({verb, "q"}, 64, std::string("(did you mean queue ") + verb + "?)");
  expect_complaint({"show", "q"}, 64, "(did you mean queue show, dlq show or config show?)");
  expect_complaint({"check"}, 64, "(did you mean config check or store check?)");
  expect_complaint({"dlq", "pause", "q"}, 64,
                   "there is no `pqctl dlq pause` (did you mean queue pause?); see `pqctl dlq --help`");
  expect_complaint({"queue", "submit"}, 64, "(did you mean submit?)");
}

TEST(CommandLine, RefusesBadDataBeforeAnyConnection) {
  expect_complaint({"submit", "t", "x", "--priority", "21"}, 65, "INVALID_PRIORITY");
  expect_complaint({"submit", "t", "x", "--priority", "0"}, 65, "1 to 20");
  expect_complaint({"submit", "t", "x", "--mode", "fifi"}, 65, "did you mean fifo?");
  expect_complaint({"submit", "t", "x", "--delivery", "at-lest-once"}, 65, "did you mean at-least-once?");
  expect_complaint({"submit", "t", "x", "--delay", "soon"}, 65, "500ms");
  expect_complaint({"submit", "t", "x", "--at", "noon"}, 65, "2026-01-31T12:00:00Z");
  expect_complaint({"submit", "t", "x", "--attempts", "0"}, 65, "65535");
  expect_complaint({"submit", "t", "x", "--metadata", "{"}, 65, "JSON");
  expect_complaint({"submit", "a b"}, 65, "A-Z");
  expect_complaint({"submit", "t", "--queue", "q/1"}, 65, "queue");
  expect_complaint({"submit", "t", "@/nonexistent/file"}, 65, "/nonexistent/file");
  expect_complaint({"submit", "t", "--ndjson", "/nonexistent/file"}, 65, "/nonexistent/file");
  expect_complaint({"get", "17"}, 65, "not a job id");
  expect_complaint({"ls", "--state", "faild"}, 65, "did you mean failed?");
  expect_complaint({"ls", "--user", "no-such-user-here"}, 65, "no-such-user-here");
  expect_complaint({"ls", "--since", "yesterday"}, 65, "yesterday");
}

TEST(CommandLine, SaysWhatACommandHasInThePlaceOfAnOptionThatItDoesNotHave) {
  expect_complaint({"submit", "t", "--payload", "x"}, 64,
                   "`pqctl submit` has no option --payload (PAYLOAD is a word by itself); "
                   "see `pqctl submit --help`");
  expect_complaint({"submit", "t", "--idempotency-key=k"}, 64, "--idempotency-key (did you mean --key?)");
  expect_complaint({"submit", "t", "--prioritty", "3"}, 64, "--prioritty (did you mean --priority?)");
  expect_complaint({"submit", "t", "--soket", "s"}, 64, "--soket (did you mean --socket?)");
  expect_complaint({"ls", "--frobnicate"}, 64,
                   "`pqctl ls` has no option --frobnicate; see `pqctl ls --help`");
  expect_complaint({"metrics", "--since", "yesterday"}, 64, "`pqctl metrics` has no option --since");
  expect_complaint({"--no-color", "sumbit"}, 64, "did you mean submit?");
}

TEST(CommandLine, RefusesAPayloadOverTheLimit) {
  const Ran ran = pqctl({"submit", "t", "-"}, std::string(16 * 1024 * 1024 + 1, 'x'));
  EXPECT_EQ(ran.exit, 65);
  EXPECT_TRUE(has(ran.err, "PAYLOAD_TOO_LARGE")) << ran.err;
}

TEST(CommandLine, EndsWith69WhenThereIsNoDaemonAndSaysHowToStartOne) {
  const std::vector<std::vector<std::string>> commands{{"submit", "t", "x"},
                                                       {"submit", "t", "-"},
                                                       {"submit", "--ndjson", "-"},
                                                       {"get", kId},
                                                       {"explain", kId},
                                                       {"ls"},
                                                       {"wait", kId},
                                                       {"cancel", kId},
                                                       {"work", "t", "--", "cat"},
                                                       {"queue", "ls"},
                                                       {"queue", "show", "q"},
                                                       {"queue", "pause", "q"},
                                                       {"queue", "set", "q", "max_active=5"},
                                                       {"queue", "set", "q", "--reset"},
                                                       {"dlq", "ls"},
                                                       {"dlq", "show", kId},
                                                       {"dlq", "redrive", kId},
                                                       {"dlq", "redrive", "--all"},
                                                       {"dlq", "redrive", "--queue", "q"},
                                                       {"dlq", "review", kId, "--resolution", "r"},
                                                       {"dlq", "purge", kId},
                                                       {"dlq", "purge", "--before", "7d", "--dry-run"},
                                                       {"metrics", "hourly"},
                                                       {"metrics", "detailed", "--from", "2h", "--to", "1h"},
                                                       {"health"}};
  for (const auto& command : commands) {
    expect_complaint(command, 69, "no daemon at /nonexistent/pqd.sock: start one with `pqd --dev`");
    expect_complaint(command, 69, "try again in 1s");
  }
}

TEST(CommandLine, PrefersTheSocketThatIsNamed) {
  expect_complaint({"ls", "--socket", "/elsewhere/pqd.sock"}, 69, "/elsewhere/pqd.sock");
}

TEST(CommandLine, ExplainsEachCommandWithAnExample) {
  const std::vector<std::vector<std::string>> commands{{},
                                                       {"submit"},
                                                       {"get"},
                                                       {"explain"},
                                                       {"ls"},
                                                       {"wait"},
                                                       {"cancel"},
                                                       {"work"},
                                                       {"queue"},
                                                       {"queue", "ls"},
                                                       {"queue", "show"},
                                                       {"dlq"},
                                                       {"dlq", "redrive"},
                                                       {"dlq", "purge"},
                                                       {"health"},
                                                       {"metrics"},
                                                       {"metrics", "by-type"},
                                                       {"version"},
                                                       {"completion"}};
  for (auto command : commands) {
    command.push_back("--help");
    const Ran ran = pqctl(command);
    EXPECT_EQ(ran.exit, 0);
    EXPECT_EQ(ran.err, "");
    EXPECT_TRUE(has(ran.out, "Example:\n  pqctl ") || has(ran.out, "(pqctl completion bash)")) << ran.out;
  }
}

TEST(CommandLine, GivesIdleCommandsOfAPoolThirtySeconds) {
  EXPECT_TRUE(has(pqctl({"work", "--help"}).out, "(30s, 0 = for ever)"));
}

TEST(CommandLine, SaysWhichFiguresThereAreAndForWhichTime) {
  expect_complaint({"metrics", "weekly"}, 64, "there is no `pqctl metrics weekly`");
  expect_complaint({"metrics", "houly"}, 64, "hourly");
  expect_complaint({"metrics"}, 64, "a command is missing; see `pqctl metrics --help`");
  expect_complaint(
      {"metrics", "hourly", "--from", "2h"}, 64,
      "`metrics hourly` is the last hour; for another time say `pqctl metrics detailed --from 2h`");
  expect_complaint({"metrics", "daily", "--to", "2h"}, 64, "`metrics daily` is the last day");
  expect_complaint({"metrics", "detailed", "--from", "1h", "--to", "2h"}, 64, "--from is not before --to");
  expect_complaint({"metrics", "by-type", "--from", "soon"}, 65, "not a time: \"soon\"");
  expect_complaint({"metrics", "daily", "--queue", "no name"}, 65, "the queue's name must be");
  const std::string help = pqctl({"metrics", "hourly", "--help"}).out;
  EXPECT_FALSE(has(help, "--from")) << help;
}

TEST(CommandLine, SaysItsVersion) {
  EXPECT_EQ(pqctl({"version"}).out, "pqctl " PQD_VERSION "\n");
  EXPECT_EQ(pqctl({"version", "-o", "jsonl"}).out, "{\"version\":\"" PQD_VERSION "\",\"abi\":1}\n");
}

TEST(CommandLine, IsCompletedByBash) {
  const Ran script = pqctl({"completion", "bash"});
  ASSERT_EQ(script.exit, 0);
  const auto complete = [&](const std::string& words) {
    const std::string line = script.out + "COMP_WORDS=(" + words +
                             " ''); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); "
                             "_pqctl; echo \" ${COMPREPLY[*]} \"";
    return run({"bash", "-c", line}).out;
  };
  EXPECT_TRUE(has(complete("pqctl"), " submit "));
  EXPECT_TRUE(has(complete("pqctl queue"), " pause "));
  EXPECT_FALSE(has(complete("pqctl queue"), " submit "));
  EXPECT_TRUE(has(complete("pqctl dlq redrive"), " --rate "));
  EXPECT_TRUE(has(complete("pqctl submit t --mode"), " batch "));
}

// The commands that its help lists.
std::vector<std::string> commands_of(std::vector<std::string> command) {
  command.push_back("--help");
  std::istringstream help(pqctl(command).out);
  std::vector<std::string> names;
  bool listed = false;
  for (std::string line; std::getline(help, line);) {
    if (!line.starts_with(' '))
      listed = line == "Subcommands:";
    else if (listed && line.size() > 2 && line[2] != ' ')
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  return names;
}

TEST(CommandLine, IsCompletedForEveryCommandOfItsHelp) {
  const auto all = commands_of({});
  EXPECT_GT(all.size(), 10u);
  for (const char* shell : {"bash", "zsh"}) {
    const std::string script = pqctl({"completion", shell}).out;
    const std::string first = script.substr(script.find("    '') words='"));
    for (const std::string& name : all) {
      EXPECT_TRUE(has(first.substr(0, first.find('\n')), " " + name + " ")) << name << " in " << shell;
      EXPECT_TRUE(has(script, "\n    '" + name + "') words='")) << name << " in " << shell;
      for (const std::string& inner : commands_of({name}))
        EXPECT_TRUE(has(script, "\n    '" + name + " " + inner + "') words='")) << name << " " << inner;
    }
  }
}

TEST(CommandLine, EndsQuietlyWhenNobodyReadsItsOutput) {
  const Ran ran = run({"bash", "-c", PQD_BIN_DIR "/pqctl --help | true; exit ${PIPESTATUS[0]}"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(ran.err, "");
}

TEST(CommandLine, SaysWhenItsOutputCannotBeWritten) {
  const Ran ran = run({"bash", "-c", PQD_BIN_DIR "/pqctl version > /dev/full"});
  EXPECT_EQ(ran.exit, 1);
  EXPECT_TRUE(has(ran.err, "could not be written")) << ran.err;
}

// What a complaint looks like on a terminal, with these variables set.
std::string on_a_terminal(const std::string& variables) {
  return run({"script", "-qec",
              "env TERM=xterm " + variables + " " PQD_BIN_DIR "/pqctl ls --socket /nonexistent", "/dev/null"})
      .out;
}

TEST(CommandLine, ColoursOnATerminalOnlyAndNotWithNoColor) {
  EXPECT_TRUE(has(on_a_terminal(""), "\033[31m"));
  EXPECT_FALSE(has(on_a_terminal("NO_COLOR=1"), "\033["));
  EXPECT_FALSE(has(on_a_terminal("TERM=dumb"), "\033["));
  EXPECT_FALSE(has(pqctl({"ls"}).err, "\033["));
}

}  // namespace
}  // namespace pqd::test
