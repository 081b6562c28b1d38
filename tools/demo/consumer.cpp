#include "tools/demo/consumer.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <deque>

#include "bindings/cpp/client.h"
#include "tools/demo/event.h"
#include "tools/demo/producer.h"
#include "tools/demo/sha256.h"

namespace pqd::demo {
namespace {

// Jobs that are on their way here while one is worked on.
constexpr uint32_t kCredits = 256;
constexpr size_t kUnsettledMax = 256;
constexpr Milliseconds kSettledWithin{60'000};

class Consumer {
 public:
  explicit Consumer(Client client) : client_(std::move(client)) {}

  // The error is a sentence.
  std::expected<void, std::string> run() {
    const auto subscribed = client_.subscribe({.queue = kQueue, .credits = kCredits});
    if (!subscribed) return std::unexpected("subscribe: " + subscribed.error().text);
    for (bool stop = false; !stop;) {
      if (auto worked = work_off(); !worked) return worked;
      if (auto taken = take_outcomes(kUnsettledMax); !taken) return taken;
      if (!events_.flush()) return {};  // nobody to work for any more
      stop = sleep();
      if (const auto processed = client_.process(); !processed)
        return std::unexpected(processed.error().text);
    }
    return take_outcomes(0);
  }

 private:
  std::expected<void, std::string> work_off() {
    for (;;) {
      auto job = client_.next(Milliseconds(0));
      if (!job) return std::unexpected("next: " + job.error().text);
      if (!*job) return {};
      const std::string path(as_text((*job)->payload()));
      const std::string result = sha256_of_file(path).value_or(std::string(kUnreadable));
      const auto ticket = client_.complete(**job, as_bytes(result));
      if (ticket) {
        unsettled_.push_back(*ticket);
      } else if (ticket.error().error != Error::kLeaseLost) {
        return std::unexpected("complete: " + ticket.error().text);
      }
      if (auto taken = take_outcomes(kUnsettledMax); !taken) return taken;
    }
  }

  // Takes what is decided, and waits for as many more as leaves `most` undecided.
  std::expected<void, std::string> take_outcomes(size_t most) {
    while (!unsettled_.empty()) {
      auto outcome = client_.poll(unsettled_.front());
      if (outcome && !*outcome) {
        if (unsettled_.size() <= most) break;
        events_.flush();
        outcome = client_.wait(unsettled_.front(), kSettledWithin);
      }
      if (outcome) {
        events_.add({Event::Kind::kSettled, 0, unsettled_.front().id, monotonic_ns(), 0});
      } else if (outcome.error().error != Error::kLeaseLost) {
        return std::unexpected("job " + unsettled_.front().id.to_string() + ": " + outcome.error().text);
      }
      unsettled_.pop_front();
    }
    if (most == 0) events_.flush();
    return {};
  }

  // Until there is something to take in. True: stop.
  bool sleep() {
    std::array<pollfd, 2> fds{{{STDIN_FILENO, POLLIN, 0}, {client_.fd(), POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), client_.arm() ? -1 : 0);
    return fds[0].revents != 0;
  }

  Client client_;
  EventWriter events_{STDOUT_FILENO};
  std::deque<Ticket> unsettled_;
};

int complain(const std::string& text) {
  std::fprintf(stderr, "consumer: %s\n", text.c_str());
  return 1;
}

}  // namespace

int run_consumer(const std::string& socket) {
  auto client = Client::connect({.socket = socket, .name = "demo-consumer"});
  if (!client) return complain(client.error().text);
  const auto done = Consumer(std::move(*client)).run();
  return done ? 0 : complain(done.error());
}

}  // namespace pqd::demo
