// What a service manager hands in is sorted by its names, whatever they are.
#include "daemon/supervisor/inherited_fds.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace pqd::supervisor_test {
namespace {

UniqueFd some_fd() { return UniqueFd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

std::vector<NamedFd> named(const std::vector<std::string>& names) {
  std::vector<NamedFd> all;
  for (const std::string& name : names) all.push_back({name, some_fd()});
  return all;
}

std::vector<std::string> names_of(uint64_t session) {
  std::vector<std::string> names;
  for (size_t part = 0; part < kSessionPartCount; ++part)
    names.push_back(part_name(session, static_cast<SessionPart>(part)));
  return names;
}

std::vector<std::string> joined(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST(InheritedFds, PutsThePartsOfEachSessionTogetherInAnyOrder) {
  auto names = joined(joined(names_of(17), names_of(4)), {"listener"});
  std::ranges::sort(names);
  std::ranges::reverse(names);
  auto all = named(names);
  std::vector<std::pair<std::string, int>> numbers;
  for (const NamedFd& one : all) numbers.emplace_back(one.name, one.fd.get());
  const auto number_of = [&](const std::string& name) {
    return std::ranges::find(numbers, name, &std::pair<std::string, int>::first)->second;
  };
  const InheritedFds sorted = sort_inherited(std::move(all));
  EXPECT_EQ(sorted.listener.get(), number_of("listener"));
  EXPECT_TRUE(sorted.listener_is_kept);
  EXPECT_TRUE(sorted.strays.empty());
  ASSERT_EQ(sorted.sessions.size(), 2u);
  EXPECT_EQ(sorted.sessions.at(4)[static_cast<size_t>(SessionPart::kDown)].get(),
            number_of("session-4-down"));
  EXPECT_EQ(sorted.sessions.at(17)[static_cast<size_t>(SessionPart::kCard)].get(),
            number_of("session-17-card"));
}

TEST(InheritedFds, ASessionThatLacksAPartIsClosedAndItsNamesAreToBeForgotten) {
  for (size_t missing = 0; missing < kSessionPartCount; ++missing) {
    auto names = names_of(17);
    names.erase(names.begin() + static_cast<ptrdiff_t>(missing));
    const InheritedFds sorted = sort_inherited(named(joined(names, names_of(4))));
    EXPECT_EQ(sorted.sessions.size(), 1u);
    EXPECT_TRUE(sorted.sessions.contains(4));
    for (const std::string& name : names_of(17))
      EXPECT_NE(std::ranges::find(sorted.strays, name), sorted.strays.end()) << name;
  }
}

TEST(InheritedFds, OfAPartThatIsThereSeveralTimesNoneIsBelieved) {
  for (const size_t times : {1u, 2u}) {
    const auto names = joined(names_of(17), std::vector<std::string>(times, "session-17-down"));
    EXPECT_TRUE(sort_inherited(named(names)).sessions.empty());
  }
}

TEST(InheritedFds, NamesThatAreNotOursAreStrays) {
  const std::vector<std::string> foreign{"",
                                         "stored",
                                         "session-",
                                         "session-17",
                                         "session-17-",
                                         "session-17-downs",
                                         "session-017-down",
                                         "session--1-down",
                                         "session-0-down",
                                         "session-18446744073709551616-down",
                                         "session-17-down-3",
                                         std::string(4'000, 'x')};
  const InheritedFds sorted = sort_inherited(named(foreign));
  EXPECT_TRUE(sorted.sessions.empty());
  EXPECT_FALSE(sorted.listener);
  EXPECT_EQ(sorted.strays, foreign);
}

TEST(InheritedFds, AListenerOfAUnitIsNotOneThatWeLeft) {
  for (const char* name : {"pqd.sock", "pqd.socket"}) {
    const InheritedFds sorted = sort_inherited(named({name}));
    EXPECT_TRUE(sorted.listener);
    EXPECT_FALSE(sorted.listener_is_kept);
  }
}

TEST(InheritedFds, AreNotTakenWhenTheyAreForAnotherProcess) {
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_PID", "1", 1);
  EXPECT_TRUE(take_listen_fds().empty());
  EXPECT_EQ(::getenv("LISTEN_FDS"), nullptr);
  for (const char* count : {"-1", "x", "", "99999999999"}) {
    ::setenv("LISTEN_FDS", count, 1);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
    EXPECT_TRUE(take_listen_fds().empty()) << count;
  }
}

}  // namespace
}  // namespace pqd::supervisor_test
