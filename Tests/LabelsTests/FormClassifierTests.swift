// Labels of what an output looks like: its format, its words, its language.

import Drift
import Foundation
import TestSupport
import Testing

@testable import Labels

@Suite struct FormClassifierTests {
  private func label(_ kind: ClassifierDeclaration.Kind, _ output: String) throws -> String {
    try makeClassifiers([ClassifierDeclaration(name: "c", kind: kind)])[0]
      .label(SampleView(output: output))
  }

  @Test(arguments: [
    (#"{"a": 1}"#, "json"), (" [1, 2]\n", "json"), ("42", "plain"), ("\"x\"", "plain"),
    ("```json\n{\"a\": 1}\n```", "fenced json"), ("```\n[]\n```\n", "fenced json"),
    ("Here you are:\n```json\n{\"a\": 1}\n```", "markdown"),
    ("```swift\nlet x = 1\nlet y = 2\n```", "code"), ("~~~\nx = 1\n~~~", "code"),
    ("Run:\n```\nmake all && make install && make check\n```", "code"),
    ("# Title\n\nText.", "markdown"), ("- one\n- two", "markdown"), ("1. one\n2. two", "markdown"),
    ("This is **bold** text.", "markdown"), ("a|b\n---|---\n1|2", "markdown"),
    ("See [this](https://example.com).", "markdown"), ("Use `ls` here.", "markdown"),
    ("A sentence - with a dash.", "plain"), ("- only one", "plain"), ("2 ** 3 ** 4", "plain"),
    ("```json\r\n{\"a\":1}\r\n```\r\n", "fenced json"), ("- one\r\n- two", "markdown"),
    ("````\n```\n{}\n```\n````", "code"), ("#hashtag", "plain"), ("{not json}", "plain"),
    ("1. Only one point.", "plain"),
  ])
  func formatIsWhatAProgramWouldMeet(_ output: String, _ expected: String) throws {
    #expect(try label(.format, output) == expected)
  }

  @Test func theFirstRuleThatHoldsNamesTheOutput() throws {
    let kind = ClassifierDeclaration.Kind.keywords(
      rules: [
        KeywordRule(label: "refund", any: ["refund*", "money back"], not: ["no refund"]),
        KeywordRule(label: "both", all: ["invoice", "overdue"]),
        KeywordRule(label: "billing", any: ["invoice", "TÜV", "発票"]),
      ], none: "other")
    #expect(try label(kind, "We have REFUNDED it.") == "refund")
    #expect(try label(kind, "You get your money\n  back.") == "refund")
    #expect(try label(kind, "There is no refund for an invoice.") == "billing")
    #expect(try label(kind, "The invoice is overdue.") == "both")
    #expect(try label(kind, "Your tüv-invoices") == "billing")
    #expect(try label(kind, "invoices") == "other")
    #expect(try label(kind, "请给我発票。") == "billing")
    #expect(try label(kind, "The invoice’s date") == "billing")
    #expect(try label(kind, "C'est l'invoice.") == "billing")
    // The same word by other scalars: U and a mark.
    #expect(try label(kind, "der TU\u{308}V") == "billing")
    #expect(try label(kind, "money, then back") == "other")
    #expect(try label(kind, "") == "__error__")
  }

  @Test(arguments: [
    ([KeywordRule](), "has no rules"),
    ([KeywordRule(label: "a")], "has a rule for 'a' without 'any' or 'all'"),
    ([KeywordRule(label: "a", not: ["b"])], "has a rule for 'a' without 'any' or 'all'"),
    ([KeywordRule(label: "a", any: ["…"])], "has the phrase '…', which has no letter or digit"),
    (
      [KeywordRule(label: "__error__", any: ["b"])],
      "has a rule whose label '__error__' is empty, long or reserved"
    ),
  ])
  func rulesThatCannotHoldAreRefused(_ rules: [KeywordRule], _ expected: String) {
    #expect(throws: ClassifierFault(message: "classifier 'c' \(expected)")) {
      try label(.keywords(rules: rules, none: "other"), "x")
    }
  }

  @Test func wordsAreTheSameHoweverTheyAreWritten() {
    #expect(
      Words.of("Don’t — STOP, l'été 3rd 你好!") == [
        "don't", "stop", "l'été", "3rd", "你", "好",
      ])
    #expect(Words.of("'quoted' rock'n'roll''") == ["quoted", "rock'n'roll"])
    #expect(Words.of("…") == [])
  }

  @Test(arguments: [
    ("en", "The parcel has left our warehouse and will be with you before the end of the week."),
    ("de", "Das Paket hat unser Lager verlassen und wird vor dem Ende der Woche bei Ihnen sein."),
    ("fr", "Le colis a quitté notre entrepôt et sera chez vous avant la fin de la semaine."),
    ("es", "El paquete ha salido de nuestro almacén y estará con usted antes del fin de semana."),
    ("pt", "O pacote saiu do nosso armazém e não vai demorar mais do que uma semana para chegar."),
    ("it", "Il pacco ha lasciato il nostro magazzino e sarà da lei prima della fine del mese."),
    ("nl", "Het pakket heeft ons magazijn verlaten en zal voor het einde van de week bij u zijn."),
    ("sv", "Paketet har lämnat vårt lager och kommer att vara hos dig före slutet av veckan."),
    (
      "fi",
      "Paketti on lähtenyt varastosta ja se on teillä ennen viikon loppua, jos kaikki on hyvin."
    ),
    (
      "pl", "Paczka opuściła już nasz magazyn i będzie u was przed końcem tygodnia, jak to możliwe."
    ),
    (
      "cs",
      "Balík už opustil náš sklad a bude u vás do konce týdne, pokud to nebude jinak než dnes."
    ),
    ("tr", "Paket depomuzdan çıktı ve bu hafta sonuna kadar sizde olacak, çünkü her şey çok iyi."),
    (
      "ro",
      "Coletul a plecat din depozitul nostru și va fi la dumneavoastră până la sfârșit de lună."
    ),
    (
      "hu", "A csomag már elhagyta a raktárunkat, és a hét vége előtt ott lesz, ha nem esik az eső."
    ),
    (
      "id",
      "Paket itu sudah keluar dari gudang kami dan akan tiba di rumah anda sebelum akhir pekan."
    ),
    ("vi", "Gói hàng đã rời kho của chúng tôi và sẽ đến với bạn trước khi hết tuần này."),
    ("ru", "Посылка покинула наш склад и будет у вас до конца недели, если это возможно."),
    ("uk", "Посилка вже покинула наш склад і буде у вас до кінця тижня, якщо її не затримають."),
    (
      "bg",
      "Пратката напусна нашия склад и ще бъде при вас преди края на седмицата, това е сигурно ъ."
    ),
    ("el", "Το δέμα έφυγε από την αποθήκη μας."), ("he", "החבילה יצאה מהמחסן שלנו."),
    ("ar", "غادر الطرد مستودعنا وسيصل إليك قبل نهاية الأسبوع."),
    ("fa", "بسته انبار ما را ترک کرد و تا پایان هفته پیش شما خواهد بود."),
    ("hi", "पैकेज हमारे गोदाम से निकल चुका है।"), ("th", "พัสดุออกจากคลังสินค้าแล้ว"),
    ("ko", "소포가 창고를 떠났습니다."), ("ja", "荷物は倉庫を出ました。"), ("zh", "包裹已离开我们的仓库。"),
    ("undetermined", "OK"), ("undetermined", "42 + 17 = 59"), ("undetermined", "Zxqv brmpf klont."),
  ])
  func languageIsToldByScriptAndSmallWords(_ code: String, _ output: String) throws {
    #expect(try label(.language, output) == code)
  }

  @Test(arguments: [
    (
      "ru", "Мы едем из Москвы в Київ, а потом, если всё будет хорошо, вернёмся домой через неделю."
    ),
    ("be", "Пасылка ўжо пакінула наш склад і будзе ў вас да канца тыдня, калі ўсё будзе добра."),
    ("mk", "Пратката веќе го напушти нашиот склад и ќе биде кај вас пред крајот на неделата."),
    ("sr", "Пошиљка је већ напустила наше складиште и биће код вас пре краја недеље."),
    (
      "kk",
      "Сәлемдеме қоймамыздан шықты және апта соңына дейін сізде болады, егер бәрі жақсы болса."
    ),
    ("ar", "سافر الرجل إلى گرگان في الأسبوع الماضي ثم عاد إلى بيته ليعمل في مدينته القديمة كل يوم"),
  ])
  func aNameInAnotherLanguageIsNotEnough(_ code: String, _ output: String) throws {
    #expect(try label(.language, output) == code)
  }

  @Test func wordsOfAnotherLanguageDoNotTurnATextRound() throws {
    let text = "The word for it in German is “Gemütlichkeit”, and das ist gut, as they would say."
    #expect(try label(.language, text) == "en")
    #expect(try label(.language, "これは「中華人民共和国憲法」です") == "ja")
  }

  @Test(
    .enabled(if: ReferenceData.isPresent, "needs LEEWAY_REFERENCE_DATA"))
  func englishUtterancesAreEnglishOrTooShortToTell() throws {
    let texts = try ClincUtterances.load("test")
    var counts: [String: Int] = [:]
    for text in texts { counts[LanguageClassifier.language(of: text.text), default: 0] += 1 }
    let known = texts.count - counts["undetermined", default: 0]
    #expect(Double(known) >= 0.85 * Double(texts.count), "\(counts)")
    #expect(Double(counts["en", default: 0]) >= 0.99 * Double(known), "\(counts)")
  }
}
