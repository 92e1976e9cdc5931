// Small words of languages in Latin script: articles, pronouns, prepositions, auxiliaries.

/// The small words by language.
enum LanguageRules {
  /// Changes with any word or letter, and with it every stored label's version.
  static let fingerprint = hexDigest(
    words.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }
      + (cyrillic + arabic).flatMap { [$0.language, $0.letters, "\($0.share)"] })

  /// The languages that have a word.
  static let byWord: [String: [String]] = {
    var result: [String: [String]] = [:]
    for (language, list) in words.sorted(by: { $0.key < $1.key }) {
      for word in Set(list.split(separator: " ")) {
        result[String(word), default: []].append(language)
      }
    }
    return result
  }()

  /// Kazakh, Belarusian, Macedonian, Serbian, Ukrainian and Bulgarian; what is left is Russian.
  static let cyrillic: [LanguageClassifier.Letters] = [
    .init(language: "kk", letters: "әғқңөұүһ", share: 0.02),
    .init(language: "be", letters: "ў", share: 0.004),
    .init(language: "mk", letters: "ѓќѕ", share: 0.002),
    .init(language: "sr", letters: "ђћљњџј", share: 0.02),
    .init(language: "uk", letters: "іїєґ", share: 0.02),
    .init(language: "ru", letters: "ыэё", share: 0.004),
    .init(language: "bg", letters: "ъ", share: 0.004),
  ]
  /// Urdu and Persian, whose ye and kaf are letters of their own; what is left is Arabic.
  static let arabic: [LanguageClassifier.Letters] = [
    .init(language: "ur", letters: "ٹڈڑںے", share: 0.01),
    .init(language: "fa", letters: "پچژگیک", share: 0.05),
  ]

  private static let words: [String: String] = [
    "en": """
    the of and to in is it that you for are with was on as have be this at not but from they \
    his her or had by what some we can out there were all your when how said an each which \
    she do their will would could should about them then these so has him been who did get \
    my than into its only more i'm i don't can't it's you're if me our he a i may must \
    because while where here no yes also please sorry any does just such being after before \
    between through
    """,
    "de": """
    der die das und ist nicht ich sie es ein eine einen einem einer den dem des zu mit auf \
    für von im sich auch als an nach wie bei oder wenn aber aus nur war wird werden sind hat \
    haben kann können dass daß durch um noch mir mich dir dich ihr wir uns kein keine sehr \
    über vor zum zur bis diese dieser dieses man was wo warum hier ja nein bitte doch schon \
    sein seine ihre mehr unter gegen
    """,
    "fr": """
    le la les de des du un une et est en que qui dans pour pas sur au aux avec ce ces cette \
    il elle nous vous ils elles je tu ne se sa son ses leur leurs mais ou où par plus être \
    avoir sont a été fait comme tout si très bien peut d'un d'une c'est n'est qu'il j'ai \
    l'on on y aussi sans votre notre donc car même entre après oui non
    """,
    "es": """
    el la los las de del un una unos y es en que por para con no se su sus lo al como más \
    pero está son este esta estos eso muy ya también fue ser hay cuando todo si sobre entre \
    sin hasta desde me te nos le les mi tu usted ustedes yo él ella porque qué donde puede \
    puedo han ha tiene o ni sí
    """,
    "pt": """
    o a os as de do da dos das um uma e é em que para com não se na no nas nos por mais como \
    mas ao aos foi ser está são este esta isso muito já também quando todo seu sua seus suas \
    ou sobre entre sem até me te lhe você vocês eu ele ela eles porque onde pode tem ter há \
    pelo pela sim nem
    """,
    "it": """
    il lo la i gli le di del della dei delle un una uno e è in che per con non si su da dal \
    alla al ai come più ma anche sono questo questa questi molto già ha hanno essere stato \
    quando tutto se tra fra senza mi ti ci vi io tu lui lei noi voi loro perché dove può nel \
    nella sul sulla o né sì suo sua
    """,
    "nl": """
    de het een en van is niet in dat op te met voor zijn er aan als ook maar om bij naar uit \
    over door ze hij zij ik je jij wij we u hun haar dit deze die wat waar hoe kan kunnen \
    wordt worden heeft hebben was waren geen nog al meer veel of dan tot mijn uw ja nee moet \
    zou deze omdat
    """,
    "sv": """
    och att det i en är som på av för med den till inte om ett har de jag du han hon vi ni \
    man var kan ska skulle från eller men så när där här vad hur också bara mycket mer sin \
    sitt sina mig dig oss er dem alla finns detta denna dessa ja nej utan efter mellan över
    """,
    "da": """
    og at det i en er som på af for med den til ikke om et har de jeg du han hun vi man var \
    kan skal skulle fra eller men så når der her hvad hvordan også kun meget mere sin sit \
    sine mig dig os jer dem alle findes dette denne disse ja nej uden efter mellem over være \
    blev
    """,
    "no": """
    og at det i en er som på av for med den til ikke om et har de jeg du han hun vi man var \
    kan skal skulle fra eller men så når der her hva hvordan også bare mye mer sin sitt sine \
    meg deg oss dere dem alle finnes dette denne disse ja nei uten etter mellom over være \
    ble
    """,
    "fi": """
    ja on ei se että oli hän en olen ovat mutta kun niin myös kuin jos joka mitä tämä sen \
    voi minä sinä me te he olla ollut vain nyt sitten vielä jo kanssa mukaan ennen jälkeen \
    tai eli kyllä mikä missä miten koska siitä tästä heidän minun sinun hyvin
    """,
    "pl": """
    i w na z do nie się to jest że jak o od po za co ale czy tak dla ma są być był była było \
    przez przy ten ta te tego tej tym już tylko lub oraz może można mnie ci go jej ich nas \
    was my wy oni ja ty on ona kiedy gdzie dlaczego bardzo więc jego jeśli które który która
    """,
    "cs": """
    a v na je se to že s z do ne o i k si by pro jako ale jak od po za co tak nebo má jsou \
    být byl byla bylo který která které když jen už také může můžete já ty on ona my vy oni \
    kde proč velmi při podle mezi bez ještě není jsem jeho její jejich tento tato toto
    """,
    "tr": """
    ve bir bu da de için ile ne mi mı çok daha ama gibi var yok olarak ben sen o biz siz \
    onlar değil olan en kadar sonra önce şey her ya veya ki ise nasıl neden nerede evet \
    hayır bana sana onu bunu şu olduğu
    """,
    "ro": """
    și în de la a nu pe cu un o să este că din mai pentru ca sunt care au fost are dar sau \
    prin ce cum când unde foarte acest această aceste lui ei el ea noi voi eu tu lor nostru \
    fără între după până da poate toate
    """,
    "hu": """
    a az és hogy nem is egy ez van de meg csak már vagy mint ha volt el ki kell lehet én te \
    ő mi ti ők nagyon ami aki ahol miért hogyan igen minden után előtt között még most itt \
    ott azt ezt
    """,
    "id": """
    yang dan di ini itu dengan untuk tidak dari dalam akan pada juga saya kami kita anda \
    mereka dia ada adalah atau karena bisa dapat sudah telah ke oleh jika seperti lebih \
    sangat apa bagaimana mengapa di mana hanya banyak semua tetapi
    """,
    "vi": """
    và là của có không được cho trong một các những này đó với người tôi bạn chúng ta anh em \
    ông bà khi thì mà để từ đến nếu như cũng đã sẽ đang rất nhiều hơn vì sao gì nào ở ra vào \
    lại
    """,
  ]
}
