import { describe, expect, it } from "vitest";
import { createBuiltinPiiDetector } from "../../../src/inference/backends/builtin/personal-data/builtin-pii-detector.js";

const detector = createBuiltinPiiDetector({ assetsDirectory: "data" });

/** What is found in the last of the texts, as `KIND words`. */
function found(...texts: readonly string[]): readonly string[] {
  const text = texts.at(-1) ?? "";
  return (detector.detect(texts).at(-1) ?? []).map(({ kind, startOffset, endOffset }) => `${kind} ${text.slice(startOffset, endOffset)}`);
}

describe("e-mail addresses as they are spoken", () => {
  it.each([
    ["it is grace dot achieng at gmail dot com okay", "grace dot achieng at gmail dot com"],
    ["ni fatma ali themanini na tisa at yahoo nukta com", "fatma ali themanini na tisa at yahoo nukta com"],
    ["andika neema alama ya chini mushi kwenye gmail nukta com", "neema alama ya chini mushi kwenye gmail nukta com"],
    ["Write to t m mwangi, at, health dot go dot ke", "t m mwangi, at, health dot go dot ke"],
    ["it's b as in boy wanyonyi 2004 at gmail", "b as in boy wanyonyi 2004 at gmail"],
    ["M W I K A one nine at gmail dot com.", "M W I K A one nine at gmail dot com"],
    ["my email is jane doe gmail com", "jane doe gmail com"],
    ["send it to p naliaka bungomafarmers co ke", "p naliaka bungomafarmers co ke"],
    ["use info.rehab at starlightcentre dot co dot ke", "info.rehab at starlightcentre dot co dot ke"],
  ])("%s", (text, wanted) => {
    expect(found(text)).toEqual([`EMAIL ${wanted}`]);
  });

  it.each(["I was at school at ten and at home at night", "look at the dot on my arm", "my gmail does not open", "visit www childhelp co ke"])(
    "none: %s",
    (text) => {
      expect(found(text)).toEqual([]);
    },
  );
});

describe("names of several words", () => {
  it.each([
    ["they asked for Kiplangat arap Soi again", "NAME Kiplangat arap Soi"],
    ["ni Mwanaidi binti Shekuwe", "NAME Mwanaidi binti Shekuwe"],
  ])("%s", (text, wanted) => {
    expect(found(text)).toEqual([wanted]);
  });
});

describe("numbers and codes as they are dictated", () => {
  it.each([
    ["my passport is A K zero four five six seven", "NATIONAL_ID A K zero four five six seven"],
    ["her badge number is 88214", "NATIONAL_ID 88214"],
    ["namba ya mwanafunzi ni 4471", "NATIONAL_ID 4471"],
    ["her UPI is H7KQ2P", "NATIONAL_ID H7KQ2P"],
    ["the reg number bed 0214 023", "NATIONAL_ID bed 0214 023"],
    ["Your passport number A 2145567 please", "NATIONAL_ID A 2145567"],
    ["kitambulisho ni ishirini na tisa, mia tatu kumi na mbili, mia nane na tano", "NATIONAL_ID ishirini na tisa, mia tatu kumi na mbili, mia nane na tano"],
    ["it is 0774 three hundred and six, six zero one", "PHONE_NUMBER 0774 three hundred and six, six zero one"],
    [
      "her NIN is C for Charlie, M for Mike, nine two, zero one four, K for Kilo, double seven",
      "NATIONAL_ID C for Charlie, M for Mike, nine two, zero one four, K for Kilo, double seven",
    ],
    ["my ID is one two, double five, nine oh, sorry no, seven six", "NATIONAL_ID one two, double five, nine oh, sorry no, seven six"],
    ["admission number nnya ttaano nnya", "NATIONAL_ID nnya ttaano nnya"],
    ["kesi ni mia tatu na mbili ya elfu mbili ishirini na nne", "CASE_NUMBER mia tatu na mbili ya elfu mbili ishirini na nne"],
    ["it says 21/U/08815/PS on the card", "CASE_NUMBER 21/U/08815/PS"],
    ["the police car GKB 194 H", "PLATE GKB 194 H"],
    ["they gave me ob 37 14 11 2026", "CASE_NUMBER ob 37 14 11 2026"],
    ["jalada namba bug rb 2214 2026", "CASE_NUMBER bug rb 2214 2026"],
    ["kesi namba tz moja moja sita tano", "CASE_NUMBER tz moja moja sita tano"],
    ["Polisi walinipa OB namba 22 ya tarehe 3/10/2026.", "CASE_NUMBER 22 ya tarehe 3/10/2026"],
  ])("%s", (text, wanted) => {
    expect(found(text)).toEqual([wanted]);
  });

  it.each([
    ["case number?", "you can call back on 116"],
    ["naomba namba yako", "piga simu moja moja sita"],
    ["he counts one two three four five six seven and hides"],
    ["it was on 14 03 2026"],
    ["the case is about 300 shillings"],
    ["your ID?", "it is about two hundred and fifty shillings"],
  ])("none: %s %s", (...texts) => {
    expect(found(...texts)).toEqual([]);
  });
});

describe("a number that was asked for some turns ago", () => {
  it("is what the question asked for, with a word between", () => {
    expect(found("Your account number?", "Wait, I look", "Yes?", "it ends with 6614")).toEqual(["ACCOUNT_NUMBER 6614"]);
  });

  it("is none behind a long turn of something else", () => {
    expect(found("Your account number?", "I do not have one because my mother keeps all the money of the house", "she gave me 350 yesterday")).toEqual([]);
  });
});

describe("a number in several turns", () => {
  it.each([
    [
      ["Naomba namba yako ya simu.", "Ni sifuri saba mbili mbili.", "Sifuri saba mbili mbili.", "tatu nne tano", "ndiyo", "moja moja nane"],
      ["", "sifuri saba mbili mbili", "Sifuri saba mbili mbili", "tatu nne tano", "", "moja moja nane"],
    ],
    [
      ["What can I call you on?", "Zero seven two two", "Okay", "four one eight, and then", "Go on", "three three five"],
      ["", "Zero seven two two", "", "four one eight", "", "three three five"],
    ],
    [
      ["your ID?", "two nine", "eight four", "seven"],
      ["", "two nine", "eight four", "seven"],
    ],
    [
      ["the one that you can always get my neighbour on is 0722", "418", "yes", "335"],
      ["0722", "418", "", "335"],
    ],
  ])("%j", (texts, wanted) => {
    expect(
      detector.detect(texts).map((spans, index) => spans.map(({ startOffset, endOffset }) => texts[index]?.slice(startOffset, endOffset)).join("|")),
    ).toEqual(wanted);
  });

  it.each([
    [["How many children?", "Two.", "How old are they?", "Seven and twelve.", "And who is with them?", "Nobody."]],
    [["Una miaka mingapi?", "Kumi na mbili.", "Kumi na mbili, sawa.", "Mdogo wako?", "Saba."]],
    [["You can call back on 116.", "one one six?", "yes one one six"]],
    [["Rent is how much?", "Four thousand five hundred shillings", "Four five?", "Yes, and food is two three hundred shillings"]],
    [["Khadija eleven, Bakari nine, Mwana four", "and Juma two, Asha one", "lini", "2024", "mwaka 2024 au 2025"]],
    [["it was zero seven two two", "I do not know what he wants from me, he only stands there and looks", "four one eight"]],
  ])("none in %j", (texts) => {
    const isNumber = ({ kind }: { readonly kind: string }) => kind === "PHONE_NUMBER" || kind === "NATIONAL_ID";
    expect(detector.detect(texts).map((spans) => spans.filter(isNumber))).toEqual(texts.map(() => []));
  });
});

describe("names by the company they keep", () => {
  it.each([
    ["my aunt joy helps me", "NAME joy"],
    ["neema ana umri gani", "NAME neema"],
    ["namuunganisha koplo zilabu", "NAME zilabu"],
    ["the twins faith and hope are ten", "NAME faith", "NAME hope"],
    ["anaitwa juma mkonozo", "NAME juma mkonozo"],
    ["i saw chepng'etuny there", "NAME chepng'etuny"],
    ["please ask for mama nduta", "NAME mama nduta"],
    ["it is spelt w a n g a r i", "NAME w a n g a r i"],
    ["He is Saitoti ole Nkabale.", "NAME Saitoti ole Nkabale"],
  ])("%s", (text, ...wanted) => {
    expect(found(text)).toEqual(wanted);
  });

  it.each(["There is no joy in that house and no hope.", "nampigia mama kila siku", "akanipush then nikafall", "she was complaining about the loans"])(
    "none: %s",
    (text) => {
      expect(found(text)).toEqual([]);
    },
  );

  it.each([
    ["barefoot rukia candle", "rukia"],
    ["the shovel wanjiku took", "wanjiku"],
  ])("takes in no plain word beside it: %s", (text, wanted) => {
    expect(found(text)).toEqual([`NAME ${wanted}`]);
  });

  it("is the first word of a long answer", () => {
    expect(found("what is your name", "zilabu fourteen i stay with my grandmother near here")).toEqual(["NAME zilabu"]);
  });
});

describe("schools by their names", () => {
  it.each([
    ["i go to green valley primary", "green valley primary"],
    ["Niko form three pale Kibera Sec.", "Kibera Sec"],
    ["I'm at St. Mary's Girls, boarding.", "St. Mary's Girls"],
    ["She goes to Our Lady of Mercy Primary.", "Our Lady of Mercy Primary"],
    ["anasoma shule ya msingi mwendapole", "shule ya msingi mwendapole"],
    ["Yuko Chuo cha Ufundi Chang'ombe.", "Chuo cha Ufundi Chang'ombe"],
    ["he learns at madrasatul nurain", "madrasatul nurain"],
  ])("%s", (text, wanted) => {
    expect(found(text)).toEqual([`SCHOOL ${wanted}`]);
  });

  it("is what answers the question for one", () => {
    expect(found("Which school do you go to?", "Lenanasoi.")).toEqual(["SCHOOL Lenanasoi"]);
  });

  it.each(["The primary school is far", "he is in upper primary", "nitaenda shule Monday", "niko shule ya sekondari", "two girls from another school"])(
    "none: %s",
    (text) => {
      expect(found(text)).toEqual([]);
    },
  );
});

describe("addresses and places below the district", () => {
  it.each([
    ["we live in block f house fourteen", "ADDRESS block f house fourteen"],
    ["nyumba namba saba kitalu c", "ADDRESS nyumba namba saba kitalu c"],
    ["It is block namba tatu, ghorofa ya pili.", "ADDRESS block namba tatu, ghorofa ya pili"],
    ["I work at 24 Biashara Street, second floor.", "ADDRESS 24 Biashara Street, second floor"],
    ["send it to p o box 1187 30100 eldoret", "ADDRESS p o box 1187 30100 eldoret"],
    ["The house is next to the church behind the posho mill.", "ADDRESS next to the church behind the posho mill"],
    ["ni nyuma ya soko, nyumba namba tatu", "ADDRESS nyuma ya soko, nyumba namba tatu"],
    ["I stay in Githurai 45.", "PLACE Githurai 45"],
    ["tunakaa kijiji cha mwendapole", "PLACE kijiji cha mwendapole"],
    ["we are in rabuor village", "PLACE rabuor village"],
  ])("%s", (text, ...wanted) => {
    expect(found(text)).toEqual(wanted);
  });

  it("is what answers where somebody lives", () => {
    expect(found("where do you live", "zilabuni")).toEqual(["PLACE zilabuni"]);
  });

  it.each(["we have two houses, nyumba mbili", "it is near the shop", "no one is in the room, I am alone", "we come from Nakuru County", "I walk on the road"])(
    "none: %s",
    (text) => {
      expect(found(text)).toEqual([]);
    },
  );
});

describe("text that no person says", () => {
  it.each(["a", "A", "a.", "AB-", "AB/", "21/U/"])("is looked through once, however long a word of %s is", (piece) => {
    expect(detector.detect([piece.repeat(150_000)])).toHaveLength(1);
  });
});
