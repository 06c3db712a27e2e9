import { expect, test } from "vitest";
import { createLog } from "../../../src/io/log.ts";
import { createCounters } from "../../../src/sidecar/counters.ts";
import { extrasPorts, NO_SECRETS } from "../../../src/sidecar/extras-ports.ts";

function started() {
  const counters = createCounters();
  const said: string[] = [];
  const log = { ...createLog({ name: "test", level: "silent" }), warn: (text: string) => void said.push(text.slice(0, 48)) };
  const ports = extrasPorts(NO_SECRETS, counters, log as never); // only warnings are looked at
  const shown = () =>
    Object.fromEntries(
      counters
        .readings()
        .flatMap(({ name, values }) =>
          values.map(({ attributes, value }) => [`${name} ${Object.values(attributes).join()}`.trim(), value]),
        ),
    );
  return { ports, said, shown };
}

test("a missing key is said once, though each request misses it", () => {
  const { ports, said } = started();
  for (let count = 0; count < 10; count += 1) ports.keyMissing();
  expect(said).toEqual(["rules want an issued cookie as bucketing key, an"]);
});

test("responses that never come are counted, and said once when five in a row are missing", () => {
  const { ports, said, shown } = started();
  const end = (isSent: boolean, times: number) => {
    for (let count = 0; count < times; count += 1) {
      ports.responseAsked();
      ports.responseEnded(isSent);
    }
  };
  end(false, 4);
  end(true, 1);
  end(false, 4);
  expect(said).toEqual([]);
  end(false, 9);
  expect(said).toEqual(["Envoy does not send the headers of responses tha"]);
  expect(shown()).toMatchObject({ serin_responses_asked_total: 18, serin_responses_missing_total: 17 });
});

test("cookies and questions are counted by what they came with", () => {
  const { ports, shown } = started();
  ports.issued("none");
  ports.issued("invalid");
  ports.issued("invalid");
  ports.debugged(true);
  ports.debugged(false);
  expect(shown()).toMatchObject({
    "serin_cookies_issued_total none": 1,
    "serin_cookies_issued_total invalid": 2,
    "serin_debug_requests_total right": 1,
    "serin_debug_requests_total wrong": 1,
  });
});
