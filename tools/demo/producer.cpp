#include "tools/demo/producer.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <deque>

#include "bindings/cpp/client.h"
#include "tools/demo/event.h"
#include "tools/demo/file_list.h"

namespace pqd::demo {
namespace {

// Jobs on their way to the disk at once: enough to fill commits, few enough that waiting in line does not
// pass for the time to be durable.
constexpr size_t kInFlightMax = 256;
constexpr Milliseconds kDurableWithin{60'000};

class Producer {
 public:
  Producer(Client client, const ProducerOptions& options) : client_(std::move(client)), options_(options) {}

  // The error is a sentence.
  std::expected<void, std::string> run(const std::vector<std::string>& paths) {
    const size_t half = paths.size() / 2;
    for (size_t i = options_.first; i < paths.size(); i += options_.stride) {
      if (i >= half && !second_half_) {
        if (auto done = take_outcomes(0); !done) return done;
        if (!wait_for_go()) return {};
        second_half_ = true;
      }
      if (auto sent = submit(i, paths[i]); !sent) return sent;
    }
    return take_outcomes(0);
  }

 private:
  struct InFlight {
    Ticket ticket;
    uint32_t file;
    int64_t submitted_ns;
  };

  std::expected<void, std::string> submit(size_t file, const std::string& path) {
    const int64_t now_ns = monotonic_ns();
    const auto ticket = client_.submit({.type = kType,
                                        .queue = kQueue,
                                        .payload = as_bytes(path),
                                        .mode = Mode::kPriority,
                                        .priority = options_.priority,
                                        .durability = Durability::kFsync});
    if (!ticket) return std::unexpected("submit " + path + ": " + ticket.error().text);
    in_flight_.push_back({*ticket, static_cast<uint32_t>(file), now_ns});
    return take_outcomes(kInFlightMax);
  }

  // Takes what is decided, and waits for as many more as leaves `most` in flight.
  std::expected<void, std::string> take_outcomes(size_t most) {
    while (!in_flight_.empty()) {
      const InFlight& oldest = in_flight_.front();
      auto outcome = client_.poll(oldest.ticket);
      if (outcome && !*outcome) {
        if (in_flight_.size() <= most) break;
        // Who reads the events must not wait for more of them than this process does.
        if (!events_.flush()) return std::unexpected("nobody reads the events");
        outcome = client_.wait(oldest.ticket, kDurableWithin);
      }
      if (!outcome)
        return std::unexpected("job " + oldest.ticket.id.to_string() + ": " + outcome.error().text);
      const int64_t now_ns = monotonic_ns();
      events_.add({Event::Kind::kDurable, oldest.file, (*outcome)->id, now_ns, now_ns - oldest.submitted_ns});
      in_flight_.pop_front();
    }
    if (most > 0 || events_.flush()) return {};
    return std::unexpected("nobody reads the events");
  }

  static bool wait_for_go() {
    char byte = 0;
    ssize_t got = 0;
    do got = ::read(STDIN_FILENO, &byte, 1);
    while (got < 0 && errno == EINTR);
    return got == 1;
  }

  Client client_;
  const ProducerOptions& options_;
  EventWriter events_{STDOUT_FILENO};
  std::deque<InFlight> in_flight_;
  bool second_half_ = false;
};

int complain(const std::string& text) {
  std::fprintf(stderr, "producer: %s\n", text.c_str());
  return 1;
}

}  // namespace

int run_producer(const ProducerOptions& options) {
  const auto paths = read_list(options.list);
  if (!paths) return complain(paths.error());
  auto client =
      Client::connect({.socket = options.socket, .name = "demo-producer", .submit_timeout_ms = 60'000});
  if (!client) return complain(client.error().text);
  const auto done = Producer(std::move(*client), options).run(*paths);
  return done ? 0 : complain(done.error());
}

}  // namespace pqd::demo
